import { describe, expect, test } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { findMpi, type Mpi } from '../../../test/support/find-mpi.js'
import { runJob } from '../../../test/support/run-job.js'
import { expectSums } from './expect-sums.js'

describe('every collective gives the sums and copies that it should', () => {
  test.each([1, 4])('on %i threads', (workers) => expectSums('threads', workers, null))

  for (const name of ['openmpi', 'mpich'] as const) {
    const mpi = findMpi(name)
    const test = testNeeding('mpi', mpi !== null, `no mpirun of ${name}`)
    test.each([1, 3])(`on %i processes of ${name}`, (workers) => expectSums(name, workers, mpi))
  }
})

describe('joining a job leaves the end of the heap where it is', () => {
  for (const name of ['openmpi', 'mpich'] as const) {
    const mpi = findMpi(name)
    const test = testNeeding('mpi', mpi !== null && process.platform === 'linux', `no mpirun of ${name} on Linux`)
    test(`with ${name}`, async () => {
      const ended = await runJob(new URL('jobs/heap-end.ts', import.meta.url), {}, 2, mpi)
      expect(ended).toMatchObject({ code: 0, stdout: 'moved by 0\n' })
    })
  }
})

describe('a library that cannot be used is named', () => {
  const [openmpi, mpich] = [findMpi('openmpi'), findMpi('mpich')]
  const test = testNeeding('mpi', openmpi !== null && mpich !== null, 'no mpirun of both families')
  const stderrWith = async (library: string, mpi: Mpi) => {
    const env = { ...mpi.env, DIT_MPI_LIBRARY: library }
    return (await runJob(new URL('jobs/collectives.ts', import.meta.url), {}, 2, { ...mpi, env })).stderr
  }
  test('where it is missing', async () => {
    const text = 'mpi: no MPI library could be loaded (libnothing.so: '
    expect(await stderrWith('libnothing.so', openmpi!)).toContain(text)
    expect(await stderrWith('libnothing.so', mpich!)).toContain(text)
  })
  test('where it is not that of the launcher', async () => {
    expect(await stderrWith('libmpi.so.40', mpich!)).toMatch(
      /the launcher has started 2 processes, but Open MPI v\S+ sees 1: it is not the launcher's library/,
    )
  })
})
