import { describe, expect } from 'vitest'
import { findMpi, type Mpi } from '../../../test/support/find-mpi.js'
import { testNeeding } from '../../../test/require.js'
import { runJob } from '../../../test/support/run-job.js'

describe.each(['openmpi', 'mpich'] as const)('a job under %s', (name) => {
  const mpi = findMpi(name)
  const test = testNeeding('mpi', mpi !== null, `no mpirun of ${name}`)
  test('leaves each process a GPU of its own, also in the eyes of its libraries', async () => {
    const { code, stdout, stderr } = await runJob(
      new URL('jobs/claim.ts', import.meta.url),
      {},
      3,
      mpi && withGpus(mpi, '4,5,7'),
    )
    expect(code, stderr).toBe(0)
    expect(stdout.match(/gpu=\d+/g)?.toSorted()).toEqual(['gpu=4', 'gpu=5', 'gpu=7'])
  })
})

function withGpus(mpi: Mpi, list: string): Mpi {
  return { ...mpi, env: { ...mpi.env, CUDA_VISIBLE_DEVICES: list } }
}
