import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseLog } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { findMpi } from '../../../test/support/find-mpi.js'
import type { RunConfig } from '../src/run/run-config.js'
import { PROGRAM, runDit, runProcess, temporaryFolder } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'

const flags = ['train', ...TINY, '--checkpoint-every', '2', '--steps', '4']

function hashes(run: string): string[] {
  const last = join(run, 'checkpoints', 'step-0000004')
  const files = ['model', 'ema', 'optimizer'].map((name) => join(last, `${name}.safetensors`))
  return [...files, join(run, 'log.jsonl')].map((path) => createHash('sha256').update(readFileSync(path)).digest('hex'))
}

function lossesOf(run: string): number[] {
  return parseLog(readFileSync(join(run, 'log.jsonl'), 'utf8')).map(({ loss }) => loss)
}

test('two threads with a sharded optimizer train like one process', async () => {
  const folder = temporaryFolder()
  const [one, sharded] = ['one', 'sharded'].map((name) => join(folder, name))
  expect((await runDit([...flags, '--out', one])).code).toBe(0)
  const again = await runProcess([...flags, '--workers', '2', '--shard-optimizer', '--json', '--out', sharded])
  expect(again.code).toBe(0)
  const shares = [...again.stdout.matchAll(/"waitShare":([\d.e-]+)/g)].map(([, share]) => Number(share))
  expect(shares).toHaveLength(lossesOf(sharded).length)
  for (const share of shares) expect(share).toBeLessThan(1)
  lossesOf(sharded).forEach((loss, i) => expect(loss).toBeCloseTo(lossesOf(one)[i], 6))
})

test('a run goes on with another number of workers only if asked to', async () => {
  const run = join(temporaryFolder(), 'run')
  const first = await runProcess([...flags, '--workers', '2', '--shard-optimizer', '--out', run, '--decay', 'constant'])
  expect(first.code).toBe(0)
  const refused = await runProcess(['train', '--resume', run, '--steps', '6'])
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('the run had 2 workers and has 1 worker. Resume anyway with --allow-inexact')
  const { code, stderr } = await runProcess(['train', '--resume', run, '--steps', '6', '--allow-inexact'])
  expect(code).toBe(0)
  expect(stderr).toContain('resumed inexactly: the run had 2 workers and has 1 worker')
  expect(lossesOf(run)).toHaveLength(6)
})

test('recomputation and accumulation are settings of the run', async () => {
  const run = join(temporaryFolder(), 'run')
  const options = ['--recompute', '1', '--accumulate', '2', '--workers', '2', '--out', run]
  expect((await runProcess([...flags, ...options])).code).toBe(0)
  const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as RunConfig
  expect(config).toMatchObject({ recompute: 1, recipe: { batchSize: 4, microBatchSize: 1 } })
})

test('Ctrl-C stops all threads with a checkpoint', async () => {
  const run = join(temporaryFolder(), 'run')
  const args = ['train', ...TINY, '--steps', '100000', '--workers', '2', '--out', run]
  const { code, stderr } = await runProcess(args, { interruptAt: /1\/100000 / })
  expect(code).toBe(130)
  expect(stderr).toContain('stopping: writing a checkpoint')
  expect(stderr).toMatch(/stopped at step \d+ of 100000; a checkpoint is saved/)
})

test('more threads than examples are refused before anything is written', async () => {
  const run = join(temporaryFolder(), 'run')
  const { code, stderr } = await runProcess([...flags, '--out', run, '--workers', '5'])
  expect(code).toBe(2)
  expect(stderr).toContain('rank 0: a batch of 4 is too small for 5 workers; raise --batch, or lower --workers')
  expect(existsSync(run)).toBe(false)
})

for (const name of ['openmpi', 'mpich'] as const) {
  const mpi = findMpi(name)
  const test = testNeeding('mpi', mpi !== null, `no mpirun of ${name}`)
  test(`${name}: dit starts mpirun, and the run is that of two threads`, async () => {
    const folder = temporaryFolder()
    const [threads, processes] = ['threads', 'processes'].map((kind) => join(folder, kind))
    expect((await runProcess([...flags, '--workers', '2', '--out', threads])).code).toBe(0)
    const launcher = ['--mpirun', mpi!.command(2).join(' ')]
    const { code, stdout } = await runProcess([...flags, ...launcher, '--out', processes], { env: mpi!.env })
    expect(code).toBe(0)
    expect(stdout).toMatch(/workers 2 processes \(.*; rank and host:pid: 0 \S+:\d+, 1 \S+:\d+\)/)
    // Sums of two are the same bits in any order.
    expect(hashes(processes)).toEqual(hashes(threads))
  })

  test(`${name}: a rank with other options than rank 0 is refused by name`, () => {
    const run = join(temporaryFolder(), 'run')
    const rank = (...more: string[]) => [process.execPath, PROGRAM, ...flags, '--out', run, ...more]
    const [launcher, ...one] = mpi!.command(1)
    const args = [...one, ...rank('--threads', 'auto'), ':', '-n', '1', ...rank('--seed', '7')]
    const { status, stderr } = spawnSync(launcher, args, { env: { ...process.env, ...mpi!.env }, encoding: 'utf8' })
    expect(stderr).toContain(
      'dit: rank 0: rank 1 was started with --seed 7, but rank 0 without --seed; start all ranks with the same options (only --threads and --patience may differ)\n',
    )
    expect(status).toBe(2)
    expect(existsSync(run)).toBe(false)
  })
}
