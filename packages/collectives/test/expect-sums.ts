import { expect } from 'vitest'
import type { Mpi } from '../../../test/support/find-mpi.js'
import { runJob } from '../../../test/support/run-job.js'

/** Every collective on a job of `workers`, threads or processes of MPI. */
export async function expectSums(name: string, workers: number, mpi: Mpi | null): Promise<void> {
  const ended = await runJob(new URL('jobs/collectives.ts', import.meta.url), {}, workers, mpi)
  expect(ended).toMatchObject({ code: 0, stdout: `ok ${name} ${workers}\n` })
}
