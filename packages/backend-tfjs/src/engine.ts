import * as tf from '@tensorflow/tfjs-core'
import { loadTensorflow, type TensorflowFeatures, type TensorflowOptions } from './tensorflow/load.js'
import { TensorflowError } from './tensorflow/problem.js'

/** Engines of tfjs that this package knows. */
export const ENGINES = ['wasm', 'cpu', 'webgpu', 'tensorflow'] as const

export type EngineName = (typeof ENGINES)[number]

/** npm package that registers each engine. */
const packages: Record<Exclude<EngineName, 'tensorflow'>, string> = {
  wasm: '@tensorflow/tfjs-backend-wasm',
  cpu: '@tensorflow/tfjs-backend-cpu',
  webgpu: '@tensorflow/tfjs-backend-webgpu',
}

/** Where the browser finds the binaries: a folder, or an address for each file. See `setWasmPaths` of tfjs. */
export type WasmPaths = string | Readonly<Record<string, string>>

/** How an engine was started. */
export interface EngineFeatures {
  /** Version of the engine's package. */
  readonly version: string
  readonly simd: boolean
  readonly threads: number
  /** Of the engine `tensorflow` alone. */
  readonly tensorflow?: TensorflowFeatures
}

export interface EngineOptions extends TensorflowOptions {
  readonly wasmPaths?: WasmPaths
}

/** The parts of the engines' packages that are used here. */
interface EngineModule {
  readonly version_wasm?: string
  readonly version_cpu?: string
  setWasmPaths?(paths: string | Record<string, string>): void
  getThreadsCount?(): number
}

const started = new Map<EngineName, Promise<EngineFeatures>>()
let queue: Promise<unknown> = Promise.resolve()

/**
 * Loads an engine's package and initialises it, once per process.
 *
 * @throws Error naming what to install, when the package is not there
 */
export function startEngine(engine: EngineName, options: EngineOptions = {}): Promise<EngineFeatures> {
  let features = started.get(engine)
  if (features === undefined) {
    // One after another: tf.setBackend names the engine globally before it waits for it.
    features = queue.then(() => (engine === 'tensorflow' ? startTensorflow(options) : start(engine, options.wasmPaths)))
    queue = features.catch(() => started.delete(engine))
    started.set(engine, features)
  }
  return features
}

async function start(engine: Exclude<EngineName, 'tensorflow'>, wasmPaths?: WasmPaths): Promise<EngineFeatures> {
  const module = await importEngine(engine, imports[engine])
  if (engine === 'wasm') {
    const paths = wasmPaths ?? (await installedFolder())
    if (paths !== undefined) module.setWasmPaths!(typeof paths === 'string' ? paths : { ...paths })
  }
  await activate(engine)
  if (engine === 'cpu') {
    // In Node this engine greets its user on the console with the first tensor.
    ;(tf.findBackend('cpu') as { firstUse?: boolean }).firstUse = false
    return { version: module.version_cpu!, simd: false, threads: 1 }
  }
  // Its package names no version, and takes tfjs-core of the very same one only.
  if (engine === 'webgpu') return { version: tf.version_core, simd: false, threads: 1 }
  return {
    version: module.version_wasm!,
    simd: Boolean(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')),
    threads: (await tf.env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT')) ? module.getThreadsCount!() : 1,
  }
}

const imports: Record<Exclude<EngineName, 'tensorflow'>, () => Promise<unknown>> = {
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
  webgpu: () => import('@tensorflow/tfjs-backend-webgpu'),
}

async function startTensorflow(options: TensorflowOptions): Promise<EngineFeatures> {
  if (typeof process === 'undefined' || process.versions?.node === undefined) {
    throw new TensorflowError('not-installed', "the engine 'tensorflow' runs in Node only", "engine: 'webgpu'")
  }
  const tensorflow = loadTensorflow(options)
  await activate('tensorflow')
  return { version: tensorflow.packageVersion, simd: true, threads: tensorflow.threads, tensorflow }
}

async function activate(engine: EngineName): Promise<void> {
  let isReady = false
  let reason: unknown = 'its initialisation failed'
  try {
    isReady = await tf.setBackend(engine)
  } catch (error) {
    reason = error
  }
  if (!isReady) throw new Error(`tfjs: the engine '${engine}' did not start (${describe(reason)})`)
}

/** Imports an engine's package, or says how to get it. */
export async function importEngine(
  engine: Exclude<EngineName, 'tensorflow'>,
  load: () => Promise<unknown>,
): Promise<EngineModule> {
  try {
    return (await load()) as EngineModule
  } catch (error) {
    throw new Error(
      `tfjs: the engine '${engine}' needs ${packages[engine]}, which could not be loaded; npm install @tensorflow/tfjs-core ${packages[engine]}`,
      { cause: error },
    )
  }
}

/** In Node the folder of the wasm files, wherever the package is installed; elsewhere tfjs looks beside the script. */
async function installedFolder(): Promise<string | undefined> {
  if (typeof process === 'undefined' || process.versions?.node === undefined) return undefined
  const module = process.getBuiltinModule('node:module')
  const path = process.getBuiltinModule('node:path')
  const manifest = module.createRequire(import.meta.url).resolve(`${packages.wasm}/package.json`)
  return path.join(path.dirname(manifest), 'dist') + path.sep
}

function describe(reason: unknown): string {
  return reason instanceof Error || (typeof reason === 'object' && reason !== null && 'message' in reason)
    ? String(reason.message)
    : String(reason)
}
