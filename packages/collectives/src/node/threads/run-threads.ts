import { isMainThread, parentPort, type ResourceLimits, Worker, workerData } from 'node:worker_threads'
import type { Communicator } from '../../communicator.js'
import { failGroup, type ThreadGroup, threadGroup } from './group.js'
import { threadCommunicator } from './thread-communicator.js'

/** Milliseconds that the other ranks have to leave once one has failed. */
const GRACE = 2000

/** A rank of a job of threads has failed, and with it the job. */
export class ThreadJobError extends Error {
  override readonly name = 'ThreadJobError'
  readonly rank: number
  /** What the process should exit with. */
  readonly exitCode: number

  constructor(rank: number, exitCode: number, message: string) {
    super(message)
    this.rank = rank
    this.exitCode = exitCode
  }
}

export interface ThreadJobOptions {
  readonly size: number
  /** Arguments of the program in its threads; by default those of this process. */
  readonly argv?: readonly string[]
  readonly group?: ThreadGroup
  /** Limits of each thread's JavaScript heap; those of Node by default. Engines have memory of their own. */
  readonly resourceLimits?: ResourceLimits
}

export interface ThreadJob {
  /**
   * Exit code of rank 0, when every rank has ended.
   *
   * @throws ThreadJobError as soon as a rank fails, exits before the end or runs out of memory, and the others are gone
   */
  readonly ended: Promise<number>
  /** Asks every rank to stop, with the exit code that it should end with. */
  stop(exitCode: number): void
}

/** What a thread is started with. */
interface Seat {
  readonly ditRank: number
  readonly group: ThreadGroup
  /** Exit code of a request to stop, or 0. */
  readonly control: SharedArrayBuffer
}

interface Failure {
  readonly ditFailure: { readonly message: string; readonly exitCode: number; readonly isConsequence: boolean }
}

/** Runs a program in `size` threads of this process; each of them calls `threadSeat`. */
export function runThreads(
  script: string | URL,
  { size, argv = process.argv.slice(2), group = threadGroup(size), resourceLimits }: ThreadJobOptions,
): ThreadJob {
  const control = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
  const workers = Array.from({ length: size }, (_, ditRank) => {
    const seat: Seat = { ditRank, group, control }
    return new Worker(script, { argv: [...argv], workerData: seat, resourceLimits })
  })
  const ended = new Promise<number>((resolve, reject) => {
    const codes: (number | null)[] = workers.map(() => null)
    let cause: ThreadJobError | null = null
    let consequence: ThreadJobError | null = null
    let isOver = false
    const finish = async () => {
      if (isOver) return
      isOver = true
      await Promise.all(workers.map(async (worker) => worker.terminate()))
      reject(cause!)
    }
    const fail = (rank: number, exitCode: number, message: string, isConsequence: boolean) => {
      failGroup(group, rank)
      // What follows from another rank's failure is told only where that one stays silent.
      if (cause === null && isConsequence) {
        consequence ??= new ThreadJobError(rank, exitCode, message)
        setTimeout(() => {
          cause ??= consequence
          void finish()
        }, GRACE)
        return
      }
      if (cause === null) setTimeout(() => void finish(), GRACE)
      cause ??= new ThreadJobError(rank, exitCode, message)
      if (codes.every((code) => code !== null)) void finish()
    }
    workers.forEach((worker, rank) => {
      worker.on('message', (message: Partial<Failure> | null) => {
        const failure = message?.ditFailure
        if (failure !== undefined) {
          fail(rank, failure.exitCode, `rank ${rank}: ${failure.message}`, failure.isConsequence)
        }
      })
      worker.on('error', (error: NodeJS.ErrnoException) => {
        const what = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'out of memory' : error.message
        fail(rank, 1, `rank ${rank}: ${what}`, false)
      })
      worker.on('exit', (code) => {
        codes[rank] = code
        if (codes.some((other) => other === null)) {
          watchForLoners(rank)
          return
        }
        cause ??= consequence
        if (cause !== null) void finish()
        else if (!isOver) resolve(codes[0]!)
      })
    })
    // A rank that left while others work has left early: those wait for it in vain.
    const watchForLoners = (rank: number) => {
      setTimeout(() => {
        if (isOver || cause !== null || codes.every((code) => code !== null)) return
        const code = codes[rank]!
        fail(rank, code === 0 ? 1 : code, `rank ${rank} ended with exit code ${code} before the job was done`, false)
      }, GRACE).unref()
    }
  })
  return {
    ended,
    stop(exitCode) {
      Atomics.store(new Int32Array(control), 0, exitCode)
      for (const worker of workers) tell(worker, { ditStop: exitCode })
    },
  }
}

/** The place of this thread in a job of `runThreads`. */
export interface ThreadSeat {
  readonly communicator: Communicator
  /** Aborted once the job was asked to stop. */
  readonly signal: AbortSignal
  /** Exit code of a request to stop, or null; looking at it also lets the signal know. */
  readonly stopCode: () => number | null
  /** Ends this thread and the job: an error that follows from that of another rank is told only where that one is silent. */
  fail(message: string, options: { exitCode: number; isConsequence: boolean }): never
}

/** Null outside the threads of `runThreads`. */
export function threadSeat({ patience }: { readonly patience?: number } = {}): ThreadSeat | null {
  const { ditRank, group, control } = (workerData ?? {}) as Partial<Seat>
  if (isMainThread || ditRank === undefined || group === undefined || control === undefined) return null
  const controller = new AbortController()
  const code = new Int32Array(control)
  const stopCode = () => {
    const wanted = Atomics.load(code, 0)
    if (wanted !== 0 && !controller.signal.aborted) controller.abort()
    return wanted === 0 ? null : wanted
  }
  parentPort!.on('message', stopCode)
  // Listening must not keep the thread alive.
  parentPort!.unref()
  return {
    communicator: threadCommunicator(group, ditRank, { patience }),
    signal: controller.signal,
    stopCode,
    fail(message, { exitCode, isConsequence }) {
      tell(parentPort!, { ditFailure: { message, exitCode, isConsequence } } satisfies Failure)
      process.exit(exitCode)
    },
  }
}

function tell(port: Pick<Worker, 'postMessage'>, message: object): void {
  port.postMessage(message)
}
