import { describe, expect, test } from 'vitest'
import { findMpi, type Mpi } from '../../../test/support/find-mpi.js'
import { testNeeding } from '../../../test/require.js'
import { runJob } from '../../../test/support/run-job.js'

async function expectSums(name: string, mpi: Mpi | null): Promise<void> {
  const ended = await runJob(new URL('jobs/groups.ts', import.meta.url), {}, 4, mpi)
  expect(ended).toMatchObject({ code: 0, stdout: `ok ${name}\n` })
}

describe('rows and columns of four ranks sum and copy for themselves, several groups at once', () => {
  test('on threads', () => expectSums('threads', null))

  for (const name of ['openmpi', 'mpich'] as const) {
    const mpi = findMpi(name)
    const test = testNeeding('mpi', mpi !== null, `no mpirun of ${name}`)
    test(`on processes of ${name}`, () => expectSums(name, mpi), 120_000)
  }
})

async function expectBlame(mpi: Mpi | null): Promise<void> {
  const { stdout, stderr, code } = await runJob(new URL('jobs/grid-fault.ts', import.meta.url), {}, 4, mpi)
  expect(stdout).toContain('step 3')
  const blamed = [...stderr.matchAll(/rank ([\d, ]+) did not answer rank/g)].map(([, ranks]) => ranks)
  expect(new Set(blamed), stderr).toEqual(new Set(['3']))
  expect(code).not.toBe(0)
}

describe('of ranks that wait for each other in several groups, that is named which does not wait', () => {
  test('on threads', () => expectBlame(null))

  for (const name of ['openmpi', 'mpich'] as const) {
    const mpi = findMpi(name)
    const test = testNeeding('mpi', mpi !== null, `no mpirun of ${name}`)
    test(`on processes of ${name}`, () => expectBlame(mpi), 120_000)
  }
})
