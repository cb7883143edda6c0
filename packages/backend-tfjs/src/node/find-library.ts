import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** A TensorFlow that a binding can be built against. */
export interface TensorflowLibrary {
  /** Folder of the shared libraries. */
  readonly folder: string
  /** Folder with `tensorflow/c/c_api.h`. */
  readonly include: string
  /** File names to link, in `folder`; together they hold the C API. */
  readonly files: readonly string[]
  /** CUDA that it was built for, such as `12.5.1`, and cuDNN; null without CUDA, or where the library does not tell. */
  readonly cuda: string | null
  readonly cudnn: string | null
}

/** Names under which the C API is shipped: by the Python package, and by the tarballs of libtensorflow. */
const NAMES = [
  ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
  ['libtensorflow.so.2', 'libtensorflow_framework.so.2'],
  ['libtensorflow.so', 'libtensorflow_framework.so.2'],
  ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'],
  ['libtensorflow.2.dylib', 'libtensorflow_framework.2.dylib'],
]

/**
 * TensorFlow in a folder: that of the Python package (`site-packages/tensorflow`, from version 2.12) or of an unpacked
 * tarball of libtensorflow (`include` and `lib`).
 *
 * @throws RangeError when libraries or headers are not there
 */
export function libraryIn(path: string): TensorflowLibrary {
  const root = resolve(path)
  const include = join(root, 'include')
  if (!existsSync(join(include, 'tensorflow/c/c_api.h'))) {
    throw new RangeError(`libraryIn: ${path} must hold include/tensorflow/c/c_api.h (the folder of a TensorFlow)`)
  }
  for (const folder of [root, join(root, 'lib')]) {
    const files = NAMES.find((names) => names.every((name) => existsSync(join(folder, name))))
    if (files !== undefined) return { folder, include, files, ...readBuildInfo(root) }
  }
  const names = NAMES.map((files) => files.join(' with ')).join(', or ')
  throw new RangeError(`libraryIn: ${path} has the headers of TensorFlow, but neither it nor its lib holds ${names}`)
}

/**
 * The TensorFlow of a Python, which is not imported.
 *
 * @param python the interpreter, such as `./venv/bin/python`
 * @throws RangeError when it does not run or has no package `tensorflow`
 */
export function libraryOfPython(python: string): TensorflowLibrary {
  const code = "import importlib.util as u; s = u.find_spec('tensorflow'); print(s.origin if s and s.origin else '')"
  let origin: string
  try {
    origin = execFileSync(python, ['-c', code], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  } catch (error) {
    throw new RangeError(`libraryOfPython: ${python} does not run (${(error as Error).message.split('\n')[0]})`, {
      cause: error,
    })
  }
  if (origin === '') {
    throw new RangeError(
      `libraryOfPython: ${python} has no TensorFlow; ${python} -m pip install tensorflow-cpu, or for CUDA 'tensorflow[and-cuda]'`,
    )
  }
  return libraryIn(dirname(origin))
}

/** The Python package says what it was built for; a tarball does not. */
function readBuildInfo(root: string): Pick<TensorflowLibrary, 'cuda' | 'cudnn'> {
  const path = join(root, 'python/platform/build_info.py')
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const value = (name: string) => new RegExp(`'${name}', '([^']+)'`).exec(text)?.[1] ?? null
  return { cuda: value('cuda_version'), cudnn: value('cudnn_version') }
}
