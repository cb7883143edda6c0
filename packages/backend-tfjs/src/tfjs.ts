import type { Backend, TensorData, View } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import { type EngineFeatures, type EngineName, ENGINES, startEngine, type WasmPaths } from './engine.js'
import { kernelsFor } from './kernels/kernels.js'
import { place, Runner } from './runner.js'
import type { Slot } from './slots.js'
import type { TensorflowOptions } from './tensorflow/load.js'

/** The options of TensorFlow are for the engine `tensorflow` alone, and heeded by the first call that starts it. */
export interface TfjsOptions extends TensorflowOptions {
  /**
   * `wasm` runs everywhere; `tensorflow` is TensorFlow itself, in Node, on the CPU or on CUDA; `webgpu` runs in pages;
   * `cpu` is plain JavaScript.
   */
  readonly engine: EngineName
  /**
   * Where a page finds the wasm files: a folder ending in `/`, or an address for each file name. In Node they are found
   * by themselves. Heeded by the first call that starts the engine.
   */
  readonly wasmPaths?: WasmPaths
}

/** What a backend of this package runs on. */
export interface TfjsDescription extends EngineFeatures {
  readonly engine: EngineName
}

const runners = new WeakMap<Backend, Runner>()
const descriptions = new WeakMap<Backend, TfjsDescription>()

/**
 * A backend on TensorFlow.js. Its kernels are plain tfjs ops, never recorded by the tape of tfjs.
 *
 * Engines are global in tfjs: a kernel makes its own the current one (`tf.getBackend()`) and leaves it so.
 *
 * @returns a backend called `tfjs-wasm`, `tfjs-cpu`, `tfjs-webgpu`, `tfjs-node` (TensorFlow on the CPU) or `tfjs-node-gpu`
 *   (on CUDA); disposing of it frees its tensors and leaves the engine to tfjs
 * @throws TensorflowError when the engine `tensorflow` is missing something, saying what and how to get it
 * @throws Error when the package of another engine is not installed or does not start, or when `tensorflow` runs already
 *   with other options
 */
export async function tfjs({ engine, ...options }: TfjsOptions): Promise<Backend> {
  if (!ENGINES.includes(engine)) {
    const names = ENGINES.map((name) => `'${name}'`).join(', ')
    throw new RangeError(`tfjs: engine must be one of ${names} (got ${JSON.stringify(engine)})`)
  }
  checkOptions(engine, options)
  const features = await startEngine(engine, options)
  checkRunning(features, options)
  const name = nameOf(engine, features)
  const runner = new Runner(engine, name)
  const backend: Backend = {
    name,
    float: 'f32',
    dtypes: ['f32', 'i32'],
    supportsViews: false,
    maxBufferBytes: 2 ** 31 - 4,
    allocate: (byteLength) => runner.slots.allocate(byteLength),
    free: (buffer) => runner.slots.free(buffer as Slot),
    upload(view, data) {
      runner.activate()
      // The cpu engine holds on to the array it is given.
      place(view, tf.tensor(data.slice(), [...view.shape], tfType(view)))
    },
    download(view) {
      runner.activate()
      return download(runner.contents(view))
    },
    memory: () => runner.slots.memory(),
    kernels: kernelsFor(runner),
    dispose: () => runner.slots.freeAll(),
  }
  runners.set(backend, runner)
  descriptions.set(backend, { engine, ...features })
  return backend
}

/**
 * Engine, version and features of a backend.
 *
 * @throws TypeError when it is not of this package
 */
export function describeTfjs(backend: Backend): TfjsDescription {
  const description = descriptions.get(backend)
  if (description === undefined) {
    throw new TypeError(`describeTfjs: backend must come from tfjs() (got ${backend.name})`)
  }
  return description
}

function nameOf(engine: EngineName, { tensorflow }: EngineFeatures): string {
  if (tensorflow === undefined) return `tfjs-${engine}`
  return tensorflow.device === 'gpu' ? 'tfjs-node-gpu' : 'tfjs-node'
}

function checkOptions(engine: EngineName, { device, threads, tf32, from }: TensorflowOptions): void {
  const given = Object.entries({ device, threads, tf32, from }).find(([, value]) => value !== undefined)
  if (engine !== 'tensorflow' && given !== undefined) {
    throw new RangeError(`tfjs: ${given[0]} is an option of the engine 'tensorflow' (engine is '${engine}')`)
  }
  if (device !== undefined && device !== 'cpu' && device !== 'gpu') {
    throw new RangeError(`tfjs: device must be 'cpu' or 'gpu' (got ${JSON.stringify(device)})`)
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new RangeError(`tfjs: threads must be a whole number from 1 (got ${threads})`)
  }
}

/** TensorFlow starts once a process: a second backend must want what runs. */
function checkRunning({ tensorflow }: EngineFeatures, options: TensorflowOptions): void {
  if (tensorflow === undefined) return
  for (const name of ['device', 'threads', 'tf32'] as const) {
    const wanted = options[name] ?? (name === 'device' ? 'cpu' : undefined)
    const isTf32OfCpu = name === 'tf32' && tensorflow.device === 'cpu'
    if (wanted !== undefined && wanted !== tensorflow[name] && !isTf32OfCpu) {
      throw new Error(`tfjs: TensorFlow runs in this process with ${name} ${tensorflow[name]} (asked for ${wanted})`)
    }
  }
}

/** The runner of a backend of this package. */
export function runnerOf(caller: string, backend: Backend): Runner {
  const runner = runners.get(backend)
  if (runner === undefined) throw new TypeError(`${caller}: backend must come from tfjs() (got ${backend.name})`)
  return runner
}

function tfType(view: View): 'int32' | 'float32' {
  return view.dtype === 'i32' ? 'int32' : 'float32'
}

async function download(tensor: tf.Tensor): Promise<TensorData> {
  // The cpu engine hands out its own array.
  return (await tensor.data<'float32' | 'int32'>()).slice()
}
