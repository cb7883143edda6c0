import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseLog } from '@dit/train-ddp'
import { describe, expect, test } from 'vitest'
import type { RunConfig } from '../src/run/run-config.js'
import { runDit, runProcess, temporaryFolder } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'

const flags = ['train', ...TINY, '--checkpoint-every', '2', '--steps', '4']

function lossesOf(run: string): number[] {
  return parseLog(readFileSync(join(run, 'log.jsonl'), 'utf8')).map(({ loss }) => loss)
}

test('two threads train like one process, in a run folder like any other', async () => {
  const folder = temporaryFolder()
  const [one, two] = ['one', 'two'].map((name) => join(folder, name))
  expect((await runDit([...flags, '--out', one])).code).toBe(0)
  const { code, stdout, stderr } = await runProcess([...flags, '--workers', '2', '--out', two])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('\nworkers 2 threads\n')
  expect(stdout).toMatch(/rank 0 waited for other workers \d+\.\d % of the time/)
  expect(readdirSync(two).toSorted()).toEqual(readdirSync(one).toSorted())
  // The reference engine computes in float64: sums of another order are 1e-16 apart.
  lossesOf(two).forEach((loss, i) => expect(loss).toBeCloseTo(lossesOf(one)[i], 6))
})

test('recomputation and accumulation are settings of the run', async () => {
  const run = join(temporaryFolder(), 'run')
  expect((await runDit([...flags, '--recompute', '1', '--accumulate', '2', '--out', run])).code).toBe(0)
  const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as RunConfig
  expect(config).toMatchObject({ recompute: 1, recipe: { batchSize: 4, microBatchSize: 2 } })
})

describe('what cannot be is refused before anything is written', () => {
  test.each([
    [['--recompute', '2'], '--recompute 2: the model has only 1 block'],
    [['--accumulate', '5'], '--accumulate 5: each worker has only 4 examples of a batch'],
    [['--accumulate', '2', '--micro-batch', '1'], '--accumulate and --micro-batch both split the batch'],
    [['--workers', '2', '--mpirun', 'mpirun -n 2'], '--workers starts threads, but an MPI launcher starts processes'],
    [['--workers', '0'], "option '--workers <n|auto>' argument '0' is invalid"],
  ])('%j', async (options, text) => {
    const run = join(temporaryFolder(), 'run')
    const { code, stderr } = await runDit([...flags, '--out', run, ...options])
    expect([code, existsSync(run)]).toEqual([2, false])
    expect(stderr).toContain(text)
  })
})
