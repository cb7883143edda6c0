import { type Backend, reference } from '@dit/tensor'
import type { CaseFiles } from './case-files.js'
import type { CaseSpec } from './cases.js'
import type { CountPeakBytes, Workload } from './workload.js'
import { makeWorkload } from './workloads/make-workload.js'

/** An engine of this process. */
export interface OpenEngine {
  readonly description: string
  readonly threads: number
  workload(spec: CaseSpec, files: CaseFiles): Promise<Workload>
  readonly countPeakBytes: CountPeakBytes
}

/** Starts an engine by its name in the bench. */
export async function openEngine(name: string, threads: number): Promise<OpenEngine> {
  if (name === 'tfjs-wasm-plain') {
    const [{ startTfjs }, { plainWorkload }] = await Promise.all([
      import('./plain/tfjs.js'),
      import('./plain/workloads.js'),
    ])
    const description = `tfjs ${await startTfjs()}`
    return { description, threads: 1, workload: plainWorkload, countPeakBytes: () => null }
  }
  const { backend, ...rest } = await openBackend(name, threads)
  return {
    ...rest,
    workload: (spec, files) => makeWorkload(backend, spec, files),
    countPeakBytes: () => backend.memory().peakBytes,
  }
}

/** Starts one of dit's backends by its name in the bench. */
export async function openBackend(
  name: string,
  threads: number,
): Promise<{ readonly backend: Backend; readonly description: string; readonly threads: number }> {
  switch (name) {
    case 'reference':
      return { backend: reference(), description: 'float64 loops', threads: 1 }
    case 'tfjs-wasm':
    case 'tfjs-cpu': {
      const { describeTfjs, tfjs } = await import('@dit/backend-tfjs')
      const backend = await tfjs({ engine: name === 'tfjs-wasm' ? 'wasm' : 'cpu' })
      const { version, simd, threads } = describeTfjs(backend)
      return { backend, description: `tfjs ${version}${simd ? ', SIMD' : ''}`, threads }
    }
    case 'tfjs-node':
    case 'tfjs-node-gpu': {
      const { describeTfjs, tfjs } = await import('@dit/backend-tfjs')
      const isCpu = name === 'tfjs-node'
      const backend = await tfjs({ engine: 'tensorflow', device: isCpu ? 'cpu' : 'gpu', ...(isCpu && { threads }) })
      const { version, tensorflow, threads: taken } = describeTfjs(backend)
      return { backend, description: `tfjs ${version}, TensorFlow ${tensorflow!.libraryVersion}`, threads: taken }
    }
    case 'webgpu': {
      const [{ describeWebGpu, webgpu }, { nodeGpu }] = await Promise.all([
        import('@dit/backend-webgpu'),
        import('@dit/backend-webgpu/node'),
      ])
      const backend = await webgpu({ gpu: await nodeGpu() })
      return { backend, description: describeWebGpu(backend).adapter, threads: 1 }
    }
    case 'cpu-wasm':
    case 'cpu-wasm-simd128':
    case 'cpu-native':
    case 'cpu-native-avx2':
    case 'cpu-native-bf16': {
      const { cpu, describeCpu } = await importCpu()
      const [, asked, last] = name.split('-')
      const kind = last === 'bf16' ? { precision: last } : { instructionSet: last }
      const backend = await cpu({ engine: asked, threads, ...kind })
      const { engine, instructionSet: running, threads: taken } = describeCpu(backend)
      return { backend, description: [engine, running, ...(last === 'bf16' ? [last] : [])].join(', '), threads: taken }
    }
    default:
      throw new RangeError(`bench: no engine ${name}`)
  }
}

interface CpuModule {
  readonly cpu: (options: {
    engine: string
    threads: number
    instructionSet?: string | undefined
    precision?: string
  }) => Promise<Backend>
  readonly describeCpu: (backend: Backend) => { engine: string; instructionSet: string; threads: number }
}

/** The package may not be there. */
async function importCpu(): Promise<CpuModule> {
  const name = '@dit/backend-cpu'
  try {
    return (await import(name)) as CpuModule
  } catch (error) {
    throw new Error(`${name} cannot be loaded: ${(error as Error).message.split('\n')[0]}`, { cause: error })
  }
}
