import { type TenSteps, tenSteps, threadsOf } from './ten-steps.js'

/** The same in a Worker, where threads may wait for each other. */
function tenStepsInWorker(threads: number): Promise<TenSteps> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  return new Promise<TenSteps>((resolve, reject) => {
    worker.addEventListener('error', ({ message }) => reject(new Error(`the worker failed: ${message}`)))
    worker.addEventListener('message', ({ data }: MessageEvent<{ result?: TenSteps; error?: string }>) => {
      if (data.result === undefined) reject(new Error(data.error))
      else resolve(data.result)
    })
    worker.postMessage(threads)
  }).finally(() => worker.terminate())
}

const tenPortableSteps = (threads: number) => tenSteps(threads, 'simd128')

Object.assign(globalThis, { tenSteps, tenPortableSteps, tenStepsInWorker, threadsOf })
