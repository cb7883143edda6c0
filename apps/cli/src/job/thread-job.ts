import { availableParallelism } from 'node:os'
import { runThreads, ThreadJobError, threadSeat } from '@dit/train-ddp/node'
import type { Workers } from '../settings/values.js'
import { explain } from '../terminal/explain.js'
import { onInterrupt } from '../terminal/interrupt.js'
import type { Output } from '../terminal/output.js'
import { isConsequence, type Job } from './job.js'

/** Most workers that `auto` takes: as with threads of an engine, more share too little. */
const MAX_AUTO = 8

/** A number of workers; `auto` takes one for each processor. */
export function numWorkers(workers: Workers): number {
  return workers === 'auto' ? Math.min(availableParallelism(), MAX_AUTO) : workers
}

/**
 * Runs this program again in threads, one for each worker, and watches over them.
 *
 * @param stopping what is said when it is asked to stop
 * @returns the exit code
 */
export async function runOnThreads(
  workers: number,
  output: Output,
  stopping = 'stopping: writing a checkpoint',
): Promise<number> {
  const job = runThreads(process.argv[1], { size: workers })
  const interruption = onInterrupt(() => {
    output.notice(`${stopping} (press Ctrl-C again to quit at once)`)
    job.stop(interruption.exitCode()!)
  })
  try {
    return await job.ended
  } catch (error) {
    if (!(error instanceof ThreadJobError)) throw error
    output.notice(error.message)
    return error.exitCode
  } finally {
    interruption.dispose()
  }
}

/** Runs `work` in a thread of `runOnThreads`; null outside of one. */
export async function runInThread(patience: number, work: (job: Job) => Promise<number>): Promise<number | null> {
  const seat = threadSeat({ patience })
  if (seat === null) return null
  const { communicator } = seat
  const { rank, size } = communicator
  try {
    const code = await work({
      communicator,
      localSize: size,
      description: `${size} threads`,
      interruption: () => ({ signal: seat.signal, exitCode: () => seat.stopCode(), dispose() {} }),
    })
    await communicator.close()
    return code
  } catch (error) {
    const { message, exitCode } = explain(error)
    return seat.fail(message, { exitCode, isConsequence: isConsequence(rank, error) })
  }
}
