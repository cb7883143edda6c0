import type { OpenMessage } from './messages.js'
import { servePipeline } from './serve-pipeline.js'

// The whole program of a module Worker. A worker may serve several pipelines, and do other work of its own.

globalThis.addEventListener('message', ({ data }: MessageEvent<OpenMessage | null>) => {
  if (data?.kind === 'dit-open') void holdLock(data.lock).then(() => servePipeline(data))
})

/** Takes a lock that is free again when the worker is gone, whatever ends it: the page waits for that. */
function holdLock(name: string | null): Promise<void> {
  if (name === null) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const hold = () => {
      resolve()
      return new Promise<void>(() => {})
    }
    navigator.locks.request(name, hold).catch(reject)
  })
}
