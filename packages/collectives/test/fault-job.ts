import { expect } from 'vitest'
import type { Mpi } from '../../../test/support/find-mpi.js'
import { type Ended, runJob } from '../../../test/support/run-job.js'
import type { Fault } from './jobs/fault.js'

/** Three ranks, of which the second meets a fault in its sixth step. */
export async function jobWith(fault: Fault, mpi: Mpi | null): Promise<Ended> {
  const ended = await runJob(new URL('jobs/fault.ts', import.meta.url), { fault }, 3, mpi)
  expect(ended.stdout).toContain('step 0')
  expect(ended.stdout).not.toContain('step 5')
  return ended
}

/** The longest patience of these jobs is 60 s: a job that ends sooner has not waited for it. On a busy machine processes start slowly. */
export const SECONDS = 55

/** A job of threads, of which one fails. */
export async function expectThreadFault(fault: Fault, message: string, code: number): Promise<void> {
  const ended = await jobWith(fault, null)
  expect(ended.stderr).toContain(message)
  expect(ended.code).toBe(code)
  expect(ended.seconds).toBeLessThan(SECONDS)
}
