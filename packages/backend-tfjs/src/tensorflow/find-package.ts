import { PACKAGES, type TensorflowDevice, TensorflowError, buildCommand, notInstalled } from './problem.js'

/** What the build script leaves beside the binding. */
export interface BindingRecord {
  /** Version of the library that the binding was built against. */
  readonly tensorflow: string
  /** CUDA that this library wants, such as `12.5.1`; null for one without CUDA. */
  readonly cuda: string | null
  readonly cudnn: string | null
}

/** An installed `@tensorflow/tfjs-node` or `@tensorflow/tfjs-node-gpu`. */
export interface TfjsNodePackage {
  readonly device: TensorflowDevice
  readonly name: string
  readonly version: string
  readonly folder: string
  /** What `require` of the package loads. */
  readonly entry: string
  /** Where its native part belongs, whether it is there or not. */
  readonly binding: string
  /** Null where the binding is not of our build script. */
  readonly record: BindingRecord | null
}

/** File of a `BindingRecord`, in the folder of the binding. */
export const RECORD_FILE = 'dit-tensorflow.json'

/** CUDA and cuDNN that the library wants which the install script of tfjs-node-gpu 4.22 downloads (TensorFlow 2.9.1). */
export const DOWNLOADED: BindingRecord = { tensorflow: '2.9.1', cuda: '11.2', cudnn: '8.1' }

/** Names the folder to look in first: the one whose `node_modules` has the package. */
export const FOLDER_VARIABLE = 'DIT_TFJS_NODE'

/**
 * Finds the npm package of the engine `tensorflow`, in Node: in the folder that is given or that the environment variable
 * `DIT_TFJS_NODE` names, else where this package is installed, else in the working folder.
 *
 * @throws TensorflowError `not-installed`
 */
export function findPackage(device: TensorflowDevice, from = process.env[FOLDER_VARIABLE]): TfjsNodePackage {
  const { existsSync, readFileSync } = process.getBuiltinModule('node:fs')
  const { createRequire } = process.getBuiltinModule('node:module')
  const path = process.getBuiltinModule('node:path')
  const name = PACKAGES[device]
  const starts =
    from === undefined || from === ''
      ? [import.meta.url, path.join(process.cwd(), 'x.js')]
      : [path.join(path.resolve(from), 'x.js')]
  for (const start of starts) {
    const require = createRequire(start)
    let manifestPath: string
    try {
      manifestPath = require.resolve(`${name}/package.json`)
    } catch {
      continue
    }
    const folder = path.dirname(manifestPath)
    const manifest = JSON.parse(readFileSync(manifestPath, 'utf8')) as Manifest
    const bindingFolder = path.join(folder, 'lib', `napi-v${bestNapiVersion(manifest.binary?.napi_versions ?? [])}`)
    const record = path.join(bindingFolder, RECORD_FILE)
    return {
      device,
      name,
      version: manifest.version,
      folder,
      entry: path.join(folder, manifest.main ?? 'index.js'),
      binding: path.join(bindingFolder, 'tfjs_binding.node'),
      record: existsSync(record) ? (JSON.parse(readFileSync(record, 'utf8')) as BindingRecord) : null,
    }
  }
  throw notInstalled(device)
}

/**
 * Looks whether the native part is where the package expects it.
 *
 * @throws TensorflowError `no-native-part`, or `wrong-abi` where there is one for another Node
 */
export function checkNativePart({ device, name, folder, binding }: TfjsNodePackage): void {
  const { existsSync, readdirSync } = process.getBuiltinModule('node:fs')
  const path = process.getBuiltinModule('node:path')
  if (existsSync(binding)) return
  const lib = path.join(folder, 'lib')
  const others = existsSync(lib)
    ? readdirSync(lib).filter((entry) => existsSync(path.join(lib, entry, 'tfjs_binding.node')))
    : []
  if (others.length > 0) {
    throw new TensorflowError(
      'wrong-abi',
      `the native part of ${name} is for ${others.join(', ')}; Node ${process.versions.node} looks for ${binding}`,
      buildCommand(device),
    )
  }
  throw new TensorflowError(
    'no-native-part',
    `${name} is installed, but its native part is missing (its install script did not run or could not download): ${binding}`,
    buildCommand(device),
  )
}

interface Manifest {
  readonly version: string
  readonly main?: string
  readonly binary?: { readonly napi_versions?: readonly number[] }
}

/** As node-pre-gyp chooses: the newest interface that both the package and this Node have. */
function bestNapiVersion(versions: readonly number[]): number {
  return Math.max(...versions.filter((version) => version <= Number(process.versions.napi)), 1)
}
