import { draw, type Drawn, type DrawRequest } from './draw.js'

/** The same in a Worker. */
function drawInWorker(request: DrawRequest): Promise<Drawn> {
  const worker = new Worker(new URL('./draw-worker.ts', import.meta.url), { type: 'module' })
  return new Promise<Drawn>((resolve, reject) => {
    worker.addEventListener('error', ({ message }) => reject(new Error(`the worker failed: ${message}`)))
    worker.addEventListener('message', ({ data }: MessageEvent<{ result?: Drawn; error?: string }>) => {
      if (data.result === undefined) reject(new Error(data.error))
      else resolve(data.result)
    })
    worker.postMessage(request)
  }).finally(() => worker.terminate())
}

Object.assign(globalThis, { draw, drawInWorker })
