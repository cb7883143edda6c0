import type { Backend, TensorData, View } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import { type EngineFeatures, type EngineName, startEngine, type WasmPaths } from './engine.js'
import { kernelsFor } from './kernels/kernels.js'
import { place, Runner } from './runner.js'
import type { Slot } from './slots.js'

export interface TfjsOptions {
  /** `wasm` is the fast one; `cpu` is plain JavaScript. */
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
 * @returns a backend called `tfjs-wasm` or `tfjs-cpu`; disposing of it frees its tensors and leaves the engine to tfjs
 * @throws Error when the engine's package is not installed or does not start
 */
export async function tfjs({ engine, wasmPaths }: TfjsOptions): Promise<Backend> {
  if (engine !== 'wasm' && engine !== 'cpu') {
    throw new RangeError(`tfjs: engine must be 'wasm' or 'cpu' (got ${JSON.stringify(engine)})`)
  }
  const features = await startEngine(engine, wasmPaths)
  const name = `tfjs-${engine}`
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
