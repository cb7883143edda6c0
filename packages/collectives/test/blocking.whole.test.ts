import { describe, expect, test } from 'vitest'
import { findMpi, type Mpi } from '../../../test/support/find-mpi.js'
import { testNeeding } from '../../../test/require.js'
import { runJob } from '../../../test/support/run-job.js'
import { SECONDS } from './fault-job.js'
import type { Fault } from './jobs/fault.js'

async function expectSums(name: string, workers: number, mpi: Mpi | null): Promise<void> {
  const ended = await runJob(new URL('jobs/blocking.ts', import.meta.url), {}, workers, mpi)
  expect(ended).toMatchObject({ code: 0, stdout: `ok ${name} ${workers}\n` })
}

/** Three ranks, of which the second meets a fault while the others block. */
async function expectMessage(
  fault: Fault,
  mpi: Mpi | null,
  message: RegExp,
  patience?: number,
): Promise<number | null> {
  const program = new URL('jobs/fault.ts', import.meta.url)
  const { stdout, stderr, code, seconds } = await runJob(program, { fault, isBlocking: true, patience }, 3, mpi)
  expect(stdout).toContain('step 0')
  expect(stdout).not.toContain('step 5')
  expect(stdout + stderr).toMatch(message)
  expect(seconds).toBeLessThan(SECONDS)
  return code
}

async function expectEnd(fault: Fault, mpi: Mpi | null, message: RegExp): Promise<void> {
  expect(await expectMessage(fault, mpi, message)).not.toBe(0)
}

describe('collectives that block sum and copy, amid transfers under way and in groups', () => {
  test.each([2, 4])('on %i threads', (workers) => expectSums('threads', workers, null))

  for (const name of ['openmpi', 'mpich'] as const) {
    const mpi = findMpi(name)
    const test = testNeeding('mpi', mpi !== null, `no mpirun of ${name}`)
    test.each([2, 4])(`on %i processes of ${name}`, (workers) => expectSums(name, workers, mpi), 120_000)
  }
})

// Most of their time these jobs wait.
describe.concurrent('a thread that fails while others block ends the job, and is named', () => {
  test.each<[Fault, RegExp]>([
    ['throw', /rank 1: a fault of the test/],
    ['exit', /rank 1 ended with exit code 3 before the job was done/],
    ['exit-0', /rank 1 ended with exit code 0 before the job was done|rank 1 did not answer rank/],
    ['block', /rank 1 did not answer rank/],
  ])('%s', (fault, message) => expectEnd(fault, null, message))
})

for (const name of ['openmpi', 'mpich'] as const) {
  const mpi = findMpi(name)
  const test = testNeeding('mpi', mpi !== null, `no mpirun of ${name}`)
  describe.concurrent(`a process of ${name} that fails while others block ends the job`, () => {
    test.each<[Fault, RegExp]>([
      ['throw', /a fault of the test/],
      ['block', /rank 1 did not answer rank/],
      ['stop', /rank 1 did not answer rank/],
      // What launchers say of a process that is gone: Open MPI names the rank, MPICH the process.
      ['kill', name === 'openmpi' ? /rank 1 .*exited on signal 9/ : /KILLED BY SIGNAL: 9|PID \d+ RUNNING AT/],
      ['exit', /rank 1 ended with exit code 3 before the job was done/],
    ])('%s', (fault, message) => expectEnd(fault, mpi, message))
  })
}

describe('a rank that is killed under a launcher that lets the others go on is named after the patience', () => {
  const mpi = findMpi('openmpi')
  const test = testNeeding('mpi', mpi !== null, 'no mpirun of openmpi')
  test('with --enable-recovery of openmpi', async () => {
    const command = (workers: number) => {
      const [program, ...options] = mpi!.command(workers)
      return [program, '--enable-recovery', ...options]
    }
    await expectMessage('kill', { ...mpi!, command }, /rank 1 did not answer rank [02] for 8 s/, 8)
  })
})
