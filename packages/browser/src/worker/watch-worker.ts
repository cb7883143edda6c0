/** A Worker, or its graphics device, is gone: what was in work is lost. Open a new pipeline. */
export class WorkerLostError extends Error {
  override readonly name = 'WorkerLostError'
}

/** Watches whether a worker lives. */
export interface WorkerWatch {
  /** Name of the lock that the worker is to hold; null where pages have none. */
  readonly lock: string | null
  /** Settles once the worker is gone; never after `stop`. */
  readonly lost: Promise<WorkerLostError>
  /** The worker said something, and so it holds its lock. */
  heard(): void
  lose(reason: string): void
  stop(): void
}

/**
 * Watches a worker. Browsers tell of scripts that fail but not of workers that are killed, such as for memory: so the worker
 * holds a lock, which the page gets when the worker is gone.
 */
export function watchWorker(worker: Worker): WorkerWatch {
  const { crypto, navigator } = globalThis as Partial<Pick<typeof globalThis, 'crypto' | 'navigator'>>
  const locks = navigator?.locks
  const lock = locks === undefined ? null : `dit-worker-${crypto!.randomUUID()}`
  const waiting = new AbortController()
  let isWaiting = false
  let lose!: (reason: string) => void
  const lost = new Promise<WorkerLostError>((resolve) => {
    lose = (reason) =>
      resolve(new WorkerLostError(`the worker of the pipeline is gone: ${reason}; open a new pipeline`))
  })
  // Without a message where the script itself was not found.
  const fail = ({ message }: ErrorEvent) =>
    lose(
      message === undefined || message === ''
        ? 'its script did not load; give a `worker` of your own that runs @dit/browser/pipeline-worker'
        : message,
    )
  const garble = () => lose('it sent what cannot be read')
  worker.addEventListener('error', fail)
  worker.addEventListener('messageerror', garble)
  return {
    lock,
    lost,
    lose,
    heard() {
      if (lock === null || isWaiting) return
      isWaiting = true
      const { signal } = waiting
      locks!.request(lock, { signal }, () => lose('the browser ended it')).catch(() => {})
    },
    stop() {
      waiting.abort()
      worker.removeEventListener('error', fail)
      worker.removeEventListener('messageerror', garble)
    },
  }
}
