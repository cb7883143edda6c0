import { availableParallelism } from 'node:os'
import { type Backend, reference } from '@dit/tensor'
import { Failure, UsageError } from '../terminal/errors.js'
import { ditVersion } from '../version.js'
import type { BackendName, EngineName, Threads } from './names.js'

/** What computes, as it is printed and kept in a run's `config.json`. */
export interface EngineDescription {
  readonly name: EngineName
  /** Of the package that has the kernels; null for the plain loops of `reference`. */
  readonly version: string | null
  /** Vector instructions, such as `avx512` or `simd128`, the library that has them, or the graphics card; null for none. */
  readonly instructionSet: string | null
  readonly threads: number
  /** What operands of products are rounded to; absent where they are not. */
  readonly precision?: 'f16' | 'bf16' | 'tf32'
}

export interface OpenEngine {
  readonly backend: Backend
  readonly description: EngineDescription
  /** Why it is hardly the engine that was meant. */
  readonly warning?: string
}

const SOFTWARE = 'this adapter computes on the processor, and many times slower than --backend cpu'

/**
 * Starts an engine. The caller disposes of the backend.
 *
 * @param threads of the engines that have them
 * @param workers that share this machine's processors: `auto` threads are a share of them
 * @param precision of the operands of products: `f16` on webgpu, `bf16` on cpu-native
 * @param tf32 whether products on CUDA may round to TF32
 * @throws UsageError where the engine cannot have so many threads, or has no TF32
 * @throws Failure where it is not installed or does not start
 */
export async function openEngine(
  name: BackendName,
  {
    threads = 'auto',
    tf32 = false,
    precision = 'f32',
    workers = 1,
  }: {
    readonly threads?: Threads
    readonly tf32?: boolean
    readonly precision?: string
    readonly workers?: number
  } = {},
): Promise<OpenEngine> {
  const isOwn = name === 'cpu' || name === 'cpu-native' || name === 'cpu-wasm'
  if (!isOwn && name !== 'tfjs-node' && threads !== 'auto' && threads !== 1) {
    throw new UsageError(`--threads ${threads}: ${name} has only one thread; --backend cpu and tfjs-node can use more`)
  }
  if (tf32 && name !== 'tfjs-node-gpu')
    throw new UsageError(`--tf32 works only with --backend tfjs-node-gpu (the backend is ${name})`)
  if (precision === 'f16' && name !== 'webgpu')
    throw new UsageError(`--precision f16 works only with --backend webgpu (the backend is ${name})`)
  if (precision === 'bf16' && name !== 'cpu' && name !== 'cpu-native')
    throw new UsageError(`--precision bf16 works only with --backend cpu-native (the backend is ${name})`)
  if (name === 'reference') {
    return { backend: reference(), description: { name, version: null, instructionSet: null, threads: 1 } }
  }
  try {
    // Loaded here, so that commands that compute nothing start fast and work without an engine.
    if (isOwn) return await openCpu(name, shareOfThreads(threads, workers), precision === 'bf16' ? 'bf16' : 'f32')
    if (name === 'tfjs-node' || name === 'tfjs-node-gpu') return await openTensorflow(name, threads, tf32)
    if (name === 'webgpu') return await openWebGpu(precision === 'f16' ? 'f16' : 'f32')
    return await openTfjs(name)
  } catch (error) {
    if (error instanceof RangeError && error.message.includes('bf16')) {
      throw new UsageError(`--precision bf16: ${withoutPackage(error)}`, { cause: error })
    }
    if (error instanceof RangeError && threads !== 'auto') {
      throw new UsageError(`--threads ${threads}: ${withoutPackage(error)}`, { cause: error })
    }
    throw new Failure(
      `the engine ${name} cannot be used: ${(error as Error).message}; run \`dit doctor\` to see what is missing`,
      {
        cause: error,
      },
    )
  }
}

/** `cpu: threads must be 1` -> `threads must be 1`: the option before it says whose they are. */
const withoutPackage = ({ message }: Error) => message.replace(/^\w+: /, '')

async function openCpu(
  name: 'cpu' | 'cpu-native' | 'cpu-wasm',
  threads: Threads,
  precision: 'f32' | 'bf16',
): Promise<OpenEngine> {
  const { cpu, describeCpu } = await import('@dit/backend-cpu')
  const asked = name === 'cpu' ? {} : ({ engine: name === 'cpu-native' ? 'native' : 'wasm' } as const)
  const backend = await cpu({ ...asked, threads, precision })
  const { engine, instructionSet, threads: running } = describeCpu(backend)
  const plain: EngineDescription = {
    name: `cpu-${engine}`,
    version: ditVersion(),
    instructionSet: precision === 'bf16' ? `${instructionSet}, bf16` : instructionSet,
    threads: running,
  }
  return { backend, description: precision === 'bf16' ? { ...plain, precision } : plain }
}

function shareOfThreads(threads: Threads, workers: number): Threads {
  if (threads !== 'auto' || workers === 1) return threads
  return Math.max(1, Math.floor(availableParallelism() / workers))
}

async function openWebGpu(precision: 'f32' | 'f16'): Promise<OpenEngine> {
  const [{ describeWebGpu, webgpu }, { nodeGpu }] = await Promise.all([
    import('@dit/backend-webgpu'),
    import('@dit/backend-webgpu/node'),
  ])
  const wanted = process.env['DIT_WEBGPU_ADAPTER']
  const backend = await webgpu({ gpu: await nodeGpu(wanted === undefined ? {} : { adapter: wanted }), precision })
  const { adapter, isSoftware } = describeWebGpu(backend)
  const instructionSet = precision === 'f16' ? `${adapter}, f16` : adapter
  const description: EngineDescription = { name: 'webgpu', version: ditVersion(), instructionSet, threads: 1 }
  const warning = isSoftware ? { warning: SOFTWARE } : {}
  return { backend, description: precision === 'f16' ? { ...description, precision } : description, ...warning }
}

async function openTfjs(name: 'tfjs-wasm' | 'tfjs-cpu'): Promise<OpenEngine> {
  const { describeTfjs, tfjs } = await import('@dit/backend-tfjs')
  const backend = await tfjs({ engine: name === 'tfjs-wasm' ? 'wasm' : 'cpu' })
  const { version, simd, threads } = describeTfjs(backend)
  return { backend, description: { name, version, instructionSet: simd ? 'simd128' : null, threads } }
}

async function openTensorflow(
  name: 'tfjs-node' | 'tfjs-node-gpu',
  threads: Threads,
  tf32: boolean,
): Promise<OpenEngine> {
  const { describeTfjs, tfjs } = await import('@dit/backend-tfjs')
  const device = name === 'tfjs-node' ? 'cpu' : 'gpu'
  if (device === 'gpu') {
    // Each process of an MPI job has a GPU of its own.
    const { claimDevice } = await import('@dit/train-ddp/node')
    claimDevice()
  }
  const counted = threads === 'auto' || device === 'gpu' ? {} : { threads }
  const backend = await tfjs({ engine: 'tensorflow', device, tf32, ...counted })
  const { version, tensorflow, threads: running } = describeTfjs(backend)
  const where = device === 'cpu' ? 'the CPU' : `CUDA, TF32 ${tf32 ? 'on' : 'off'}`
  const instructionSet = `TensorFlow ${tensorflow!.libraryVersion} on ${where}`
  const description: EngineDescription = { name, version, instructionSet, threads: running }
  return { backend, description: tf32 ? { ...description, precision: 'tf32' } : description }
}

/** Options of `openEngine` that make the engine of a run again, on the same one. */
export function enginePrecision(
  { name, precision }: EngineDescription,
  wanted: string,
): { readonly precision?: 'f16' | 'bf16'; readonly tf32?: true } {
  if (name !== wanted || precision === undefined) return {}
  return precision === 'tf32' ? { tf32: true } : { precision }
}

/** `cpu-native 0.1.0 (avx512, 2 threads)` */
export function engineText({ name, version, instructionSet, threads }: EngineDescription): string {
  if (name === 'reference') return 'reference (plain float64 loops, slow)'
  if (name === 'webgpu') return `webgpu ${version} (${instructionSet})`
  return `${name} ${version} (${instructionSet ?? 'no SIMD'}, ${threads} thread${threads === 1 ? '' : 's'})`
}
