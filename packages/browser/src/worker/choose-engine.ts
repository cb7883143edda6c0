import type { Backend } from '@dit/tensor'
import type { EngineChoice, WorkerEngine } from './messages.js'

/** An engine, and what there is to say of it. */
export interface ChosenEngine {
  readonly backend: Backend
  readonly engine: WorkerEngine
}

/**
 * Makes the engine that was asked for. `auto` takes WebGPU on a graphics card; without one WebAssembly, with the reason. Only
 * the code of engines that are tried is loaded.
 *
 * @throws WebGpuUnavailableError where `webgpu` was asked for and there is none
 */
export async function chooseEngine(choice: EngineChoice, threads: number | 'auto'): Promise<ChosenEngine> {
  if (choice === 'wasm') return webAssembly(threads, null)
  if (choice === 'auto' && (globalThis as { navigator?: { gpu?: unknown } }).navigator?.gpu === undefined) {
    return webAssembly(threads, 'this browser offers no WebGPU here')
  }
  const { describeWebGpu, webgpu, WebGpuUnavailableError } = await import('@dit/backend-webgpu')
  let backend: Backend
  try {
    backend = await webgpu()
  } catch (error) {
    if (choice === 'webgpu' || !(error instanceof WebGpuUnavailableError)) throw error
    return webAssembly(threads, 'there is WebGPU here but no graphics card for it')
  }
  const { adapter, isSoftware } = describeWebGpu(backend)
  if (choice === 'auto' && isSoftware) {
    await backend.dispose()
    return webAssembly(threads, `WebGPU would compute on the processor here (${adapter}), which is slower`)
  }
  return { backend, engine: { kind: 'webgpu', description: `WebGPU, ${adapter}`, reason: null } }
}

async function webAssembly(threads: number | 'auto', reason: string | null): Promise<ChosenEngine> {
  const { cpu, describeCpu } = await import('@dit/backend-cpu')
  const backend = await cpu({ engine: 'wasm', threads })
  const { threads: count } = describeCpu(backend)
  const description = `WebAssembly, ${count === 1 ? 'one thread' : `${count} threads`}`
  return { backend, engine: { kind: 'wasm', description, reason } }
}
