import { describe, expect, test } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import type { Fault } from './jobs/fault.js'
import { findMpi, type Mpi } from '../../../test/support/find-mpi.js'
import { runJob } from '../../../test/support/run-job.js'
import { expectThreadFault, jobWith, SECONDS } from './fault-job.js'

// Most of their time these jobs wait.
describe.concurrent('a thread that fails ends the job at once, and is named', () => {
  test.each<[Fault, string, number]>([
    ['exit', 'rank 1 ended with exit code 3 before the job was done', 3],
    ['exit-0', 'rank 1 ended with exit code 0 before the job was done', 1],
    ['block', 'rank 1 did not answer rank', 1],
    ['memory', 'rank 1: out of memory', 1],
  ])('%s', (fault, message, code) => expectThreadFault(fault, message, code))
})

async function expectEnd(fault: Fault, mpi: Mpi | null, message: RegExp): Promise<void> {
  const { stdout, stderr, code, seconds } = await jobWith(fault, mpi)
  expect(stdout + stderr).toMatch(message)
  expect(code).not.toBe(0)
  expect(seconds).toBeLessThan(SECONDS)
}

async function expectEarlyEnd(exitCode: number, mpi: Mpi | null): Promise<void> {
  const { code, seconds } = await runJob(new URL('jobs/early.ts', import.meta.url), { code: exitCode }, 3, mpi)
  expect(code).not.toBe(0)
  expect(seconds).toBeLessThan(SECONDS)
}

for (const name of ['openmpi', 'mpich'] as const) {
  const mpi = findMpi(name)
  const test = testNeeding('mpi', mpi !== null, `no mpirun of ${name}`)
  describe.concurrent(`a process of ${name} that fails ends the job`, () => {
    test.each<[Fault, RegExp]>([
      ['throw', /a fault of the test/],
      ['block', /rank 1 did not answer rank/],
      ['stop', /rank 1 did not answer rank/],
      // What launchers say of a process that is gone: Open MPI names the rank, MPICH the process.
      ['kill', name === 'openmpi' ? /rank 1 .*exited on signal 9/ : /KILLED BY SIGNAL: 9|PID \d+ RUNNING AT/],
      ['memory', name === 'openmpi' ? /rank 1 .*exited on signal 6/ : /KILLED BY SIGNAL: 6|PID \d+ RUNNING AT/],
      ['exit-0', /rank 1 ended with exit code 0 before the job was done/],
    ])('%s', (fault, message) => expectEnd(fault, mpi, message))

    if (name === 'mpich') test('with its launcher, and blocks', () => expectEnd('launcher', mpi, /step 3/))

    test.each([0, 3])('before it has joined the job, with code %i', (code) => expectEarlyEnd(code, mpi))
  })
}
