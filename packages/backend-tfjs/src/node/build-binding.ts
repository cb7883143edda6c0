import { execFile, execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type BindingRecord, RECORD_FILE, type TfjsNodePackage } from '../tensorflow/find-package.js'
import type { TensorflowLibrary } from './find-library.js'
import { patched } from './patches.js'

export interface BuildOptions {
  /** C++17 compiler; `$CXX`, else `c++`. */
  readonly compiler?: string
  /** Folder with `node_api.h`; by default that of this Node, else of an installed `node-api-headers`. */
  readonly nodeHeaders?: string
}

const SOURCES = ['tfjs_backend.cc', 'tfjs_binding.cc']

/**
 * Builds the native part of tfjs-node from the C++ sources in its npm package, against a TensorFlow that is there, tries it,
 * and puts it where the package looks for it. The result names the folder of that TensorFlow: whoever moves it builds again.
 *
 * @returns version of the library, and what it wants
 * @throws RangeError when a compiler or the headers of Node are missing, or the system is Windows
 * @throws Error with the words of the compiler or of the loader
 */
export async function buildBinding(
  { folder, binding, device }: TfjsNodePackage,
  library: TensorflowLibrary,
  { compiler = process.env['CXX'] ?? 'c++', nodeHeaders = findNodeHeaders(folder) }: BuildOptions = {},
): Promise<BindingRecord> {
  if (process.platform === 'win32') throw new RangeError('buildBinding: Windows is not supported; use WSL')
  checkCompiler(compiler)
  const work = mkdtempSync(join(tmpdir(), 'dit-tensorflow-'))
  try {
    for (const file of readdirSync(join(folder, 'binding'))) {
      const from = join(folder, 'binding', file)
      if (SOURCES.includes(file)) writeFileSync(join(work, file), patched(file, readFileSync(from, 'utf8')))
      else copyFileSync(from, join(work, file))
    }
    const built = join(work, 'tfjs_binding.node')
    await compile(compiler, compilerArguments({ work, built, library, nodeHeaders }))
    const version = await tryBinding(built)
    const record: BindingRecord = { tensorflow: version, cuda: library.cuda, cudnn: library.cudnn }
    if (device === 'gpu' && record.cuda === null && existsSync(join(library.folder, 'python'))) {
      throw new Error(
        `TensorFlow ${version} in ${library.folder} was built without CUDA; pip install 'tensorflow[and-cuda]' instead`,
      )
    }
    mkdirSync(dirname(binding), { recursive: true })
    copyFileSync(built, `${binding}.new`)
    renameSync(`${binding}.new`, binding)
    writeFileSync(join(dirname(binding), RECORD_FILE), `${JSON.stringify(record, null, 2)}\n`)
    return record
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** What the compiler is called with. */
export function compilerArguments(options: {
  readonly work: string
  readonly built: string
  readonly library: TensorflowLibrary
  readonly nodeHeaders: string
}): string[] {
  const { work, built, library, nodeHeaders } = options
  const link =
    process.platform === 'darwin'
      ? ['-undefined', 'dynamic_lookup', ...library.files.map((file) => join(library.folder, file))]
      : [`-L${library.folder}`, ...library.files.map((file) => `-l:${file}`)]
  return [
    '-std=c++17',
    '-O2',
    '-fPIC',
    '-shared',
    '-DNAPI_VERSION=8',
    `-I${nodeHeaders}`,
    `-I${library.include}`,
    ...SOURCES.map((file) => join(work, file)),
    '-o',
    built,
    ...link,
    `-Wl,-rpath,${library.folder}`,
  ]
}

function checkCompiler(compiler: string): void {
  try {
    execFileSync(compiler, ['--version'], { stdio: 'ignore' })
  } catch (error) {
    throw new RangeError(
      `buildBinding: no C++ compiler ${compiler}; install g++ or clang (Debian: apt install g++), or name one in CXX`,
      { cause: error },
    )
  }
}

async function compile(compiler: string, args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(compiler, [...args], { maxBuffer: 2 ** 26 })
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    const lines = (stderr ?? '').split('\n').filter((line) => /error|undefined reference|cannot find/.test(line))
    throw new Error(`buildBinding: ${compiler} failed: ${lines.slice(0, 5).join('; ') || stderr}`, { cause: error })
  }
}

/** Loads the binding in a process of its own: a library that does not fit may end it. */
async function tryBinding(path: string): Promise<string> {
  const code = 'console.log(require(process.argv[1]).TF_Version)'
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', code, path])
    return stdout.trim()
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string }
    const line = stderr.split('\n').find((line) => line.startsWith('Error:')) ?? message
    throw new Error(`buildBinding: the binding was built, but does not load: ${line}`, { cause: error })
  }
}

/** Folder of `node_api.h`. */
function findNodeHeaders(packageFolder: string): string {
  const candidates = [join(dirname(dirname(process.execPath)), 'include/node'), '/usr/include/node']
  for (const from of [packageFolder, process.cwd()]) {
    try {
      const manifest = createRequire(join(from, 'x.js')).resolve('node-api-headers/package.json')
      candidates.push(join(dirname(manifest), 'include'))
    } catch {
      // Looked for elsewhere.
    }
  }
  const found = candidates.find((folder) => existsSync(join(folder, 'node_api.h')))
  if (found === undefined) {
    throw new RangeError('buildBinding: node_api.h is not there; npm install node-api-headers')
  }
  return found
}
