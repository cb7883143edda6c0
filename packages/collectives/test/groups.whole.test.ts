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

async function expectBlame(mpi: Mpi | null, isBlocking: boolean): Promise<void> {
  const program = new URL('jobs/grid-fault.ts', import.meta.url)
  const { stdout, stderr, code } = await runJob(program, { isBlocking }, 4, mpi)
  expect(stdout).toContain('step 3')
  const blamed = [...stderr.matchAll(/rank ([\d, ]+) did not answer rank/g)].map(([, ranks]) => ranks)
  expect(new Set(blamed), stderr).toEqual(new Set(['3']))
  expect(code).not.toBe(0)
}

describe.each([
  ['wait', false],
  ['block', true],
])('of ranks that %s for each other in several groups, that is named which does not', (_, isBlocking) => {
  test('on threads', () => expectBlame(null, isBlocking))

  for (const name of ['openmpi', 'mpich'] as const) {
    const mpi = findMpi(name)
    const test = testNeeding('mpi', mpi !== null, `no mpirun of ${name}`)
    test(`on processes of ${name}`, () => expectBlame(mpi, isBlocking), 120_000)
  }
})
