import { cpu, describeCpu } from '@dit/backend-cpu'
import { describeWebGpu, webgpu, WebGpuUnavailableError } from '@dit/backend-webgpu'
import type { Backend } from '@dit/tensor'

/** An engine, and a few words on what it is. */
export interface Engine {
  readonly backend: Backend
  readonly words: string
}

/** The graphics card through WebGPU where the browser offers one, else the processor through WebAssembly; its words say why. */
export async function openEngine(): Promise<Engine> {
  let why = 'this browser offers no WebGPU'
  try {
    const backend = await webgpu()
    const { adapter, isSoftware } = describeWebGpu(backend)
    if (!isSoftware) return { backend, words: `WebGPU, ${adapter}` }
    await backend.dispose()
    why = 'WebGPU would compute on the processor here, which is slower'
  } catch (error) {
    if (!(error instanceof WebGpuUnavailableError)) throw error
  }
  const backend = await cpu()
  const { threads } = describeCpu(backend)
  const isolated = threads > 1 || globalThis.crossOriginIsolated ? '' : '; more need the headers in vite.config.ts'
  return { backend, words: `WebAssembly, ${threads} ${threads === 1 ? 'thread' : 'threads'} (${why}${isolated})` }
}
