import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { CropJob, CropResult, CropSettings } from './crop-worker.js'
import type { PicturePlace } from './picture-file.js'

/** Threads that decode and crop pictures. */
export interface CropPool {
  /**
   * Decodes and crops a file.
   *
   * @returns the crop, or the decoder's reason when the file is not a whole picture
   * @throws Error when a thread cannot do its work or the pool is closed; the signal's reason when that aborts
   */
  crop(place: PicturePlace, signal?: AbortSignal): Promise<CropResult>
  /** Ends the threads; what is still waiting fails. */
  close(): Promise<void>
}

interface Waiting {
  readonly job: CropJob
  readonly signal: AbortSignal | undefined
  readonly resolve: (result: CropResult) => void
  readonly reject: (error: Error) => void
}

interface Thread {
  readonly worker: Worker
  current: Waiting | undefined
}

// Node 20 cannot load .ts in a worker: run from source, the pool uses the built worker.
const WORKER = import.meta.url.endsWith('.ts') ? '../../dist/node/crop-worker.js' : './crop-worker.js'

/** Starts no thread before the first job, and at most `threads`; idle threads do not keep the process alive. */
export function cropPool(settings: CropSettings, threads: number = Math.min(4, availableParallelism())): CropPool {
  const idle: Thread[] = []
  const all = new Set<Thread>()
  // Taken from `next` on: `shift` moves all the rest, which adds up to minutes with a million pictures.
  let queue: Waiting[] = []
  let next = 0
  let isClosed = false

  const take = (): Waiting | undefined => {
    const waiting = queue[next++]
    if (next >= queue.length || next > 1000 + queue.length / 2) {
      queue = queue.slice(next)
      next = 0
    }
    return waiting
  }
  const finish = (thread: Thread, settle: (waiting: Waiting) => void) => {
    const waiting = thread.current
    thread.current = undefined
    if (waiting !== undefined) settle(waiting)
  }
  const start = (): Thread => {
    const thread: Thread = { worker: new Worker(new URL(WORKER, import.meta.url)), current: undefined }
    all.add(thread)
    thread.worker.on('message', (result: CropResult) => {
      thread.worker.unref()
      idle.push(thread)
      finish(thread, ({ resolve }) => resolve(result))
      work()
    })
    thread.worker.on('error', (error) => finish(thread, ({ reject }) => reject(error)))
    thread.worker.on('exit', () => {
      all.delete(thread)
      if (idle.includes(thread)) idle.splice(idle.indexOf(thread), 1)
      finish(thread, ({ reject }) => reject(new Error('the decoding thread has ended')))
      work()
    })
    return thread
  }
  const work = () => {
    while (next < queue.length && (idle.length > 0 || all.size < threads)) {
      const waiting = take()!
      if (waiting.signal?.aborted) {
        waiting.reject(waiting.signal.reason as Error)
        continue
      }
      const thread = idle.pop() ?? start()
      thread.current = waiting
      thread.worker.ref()
      thread.worker.postMessage(waiting.job, [])
    }
  }
  return {
    crop: (place, signal) =>
      new Promise((resolve, reject) => {
        if (isClosed) throw new Error('the dataset is closed')
        queue.push({ job: { place, ...settings }, signal, resolve, reject })
        work()
      }),
    close: async () => {
      isClosed = true
      for (let waiting = take(); waiting !== undefined; waiting = take()) {
        waiting.reject(new Error('the dataset is closed'))
      }
      await Promise.all([...all].map((thread) => thread.worker.terminate()))
    },
  }
}
