import * as tf from '@tensorflow/tfjs-core'

/** Engines of tfjs that this package knows. */
export type EngineName = 'wasm' | 'cpu'

/** npm package that registers each engine. */
const packages: Record<EngineName, string> = {
  wasm: '@tensorflow/tfjs-backend-wasm',
  cpu: '@tensorflow/tfjs-backend-cpu',
}

/** Where the browser finds the binaries: a folder, or an address for each file. See `setWasmPaths` of tfjs. */
export type WasmPaths = string | Readonly<Record<string, string>>

/** How an engine was started. */
export interface EngineFeatures {
  /** Version of the engine's package. */
  readonly version: string
  readonly simd: boolean
  readonly threads: number
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
export function startEngine(engine: EngineName, wasmPaths?: WasmPaths): Promise<EngineFeatures> {
  let features = started.get(engine)
  if (features === undefined) {
    // One after another: tf.setBackend names the engine globally before it waits for it.
    features = queue.then(() => start(engine, wasmPaths))
    queue = features.catch(() => started.delete(engine))
    started.set(engine, features)
  }
  return features
}

async function start(engine: EngineName, wasmPaths?: WasmPaths): Promise<EngineFeatures> {
  const module = await importEngine(engine, () =>
    engine === 'wasm' ? import('@tensorflow/tfjs-backend-wasm') : import('@tensorflow/tfjs-backend-cpu'),
  )
  if (engine === 'wasm') {
    const paths = wasmPaths ?? (await installedFolder())
    if (paths !== undefined) module.setWasmPaths!(typeof paths === 'string' ? paths : { ...paths })
  }
  let isReady = false
  let reason: unknown = 'its initialisation failed'
  try {
    isReady = await tf.setBackend(engine)
  } catch (error) {
    reason = error
  }
  if (!isReady) throw new Error(`tfjs: the engine '${engine}' did not start (${describe(reason)})`)
  if (engine === 'cpu') {
    // In Node this engine greets its user on the console with the first tensor.
    ;(tf.findBackend('cpu') as { firstUse?: boolean }).firstUse = false
    return { version: module.version_cpu!, simd: false, threads: 1 }
  }
  return {
    version: module.version_wasm!,
    simd: Boolean(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')),
    threads: (await tf.env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT')) ? module.getThreadsCount!() : 1,
  }
}

/** Imports an engine's package, or says how to get it. */
export async function importEngine(engine: EngineName, load: () => Promise<unknown>): Promise<EngineModule> {
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
