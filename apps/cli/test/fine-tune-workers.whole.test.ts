import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseLog } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { findMpi } from '../../../test/support/find-mpi.js'
import { runDit, runProcess, temporaryFolder } from './support/run-dit.js'
import { stopDit } from './support/stop-dit.js'
import { TINY } from './support/tiny-flags.js'

const TRAIN = [
  '--batch=4',
  '--sample-every=none',
  '--checkpoint-every=2',
  '--steps=4',
  '--backend=reference',
  '--lr=0.01',
]
const KINDS = [['--lora=2', '--train-only=labels'], ['--train-only=final,labels'], []]

const logOf = (run: string) => parseLog(readFileSync(join(run, 'log.jsonl'), 'utf8'))

async function baseIn(folder: string): Promise<string> {
  const base = join(folder, 'base')
  expect(
    (await runDit(['train', ...TINY, '--steps=2', '--lr=0.01', '--warmup=0', '--out', base, '--quiet'])).code,
  ).toBe(0)
  return base
}

test.each(KINDS)('two threads fine-tune like one process, and resume: %s %s', async (...kind) => {
  const flags = kind.filter((flag) => flag !== undefined)
  const folder = temporaryFolder()
  const from = ['train', '--from', await baseIn(folder), ...TRAIN, ...flags]
  const [one, two, broken] = ['one', 'two', 'broken'].map((name) => join(folder, name))
  expect((await runDit([...from, '--out', one, '--quiet'])).code).toBe(0)
  expect(await runProcess([...from, '--workers=2', '--out', two])).toMatchObject({ code: 0, stderr: '' })
  // float32: two workers sum in another order.
  logOf(two).forEach(({ loss }, i) => expect(loss).toBeCloseTo(logOf(one)[i].loss, 6))
  // Extended from its end: every worker needs the adapted weights, or the checkpoint, again.
  expect((await runProcess([...from, '--workers=2', '--decay=constant', '--out', broken])).code).toBe(0)
  const resumed = await runProcess(['train', '--resume', broken, '--workers=2', '--steps=6'])
  expect(resumed).toMatchObject({ code: 0, stderr: '' })
  expect(logOf(broken)).toHaveLength(6)
})

test('a run that was killed before its first checkpoint begins again, without the source', async () => {
  const folder = temporaryFolder()
  const base = await baseIn(folder)
  const [killed, whole] = ['killed', 'whole'].map((name) => join(folder, name))
  const from = ['train', '--from', base, ...TRAIN, '--steps=60', '--checkpoint-every=60', '--train-only=final']
  expect(await stopDit([...from, '--out', killed], 2, 'SIGKILL')).toMatchObject({ signal: 'SIGKILL' })
  expect(readdirSync(killed)).toContain('start.safetensors')
  expect(existsSync(join(killed, 'checkpoints'))).toBe(false)
  expect((await runDit([...from, '--out', whole, '--quiet'])).code).toBe(0)
  rmSync(base, { recursive: true })
  expect(await runDit(['train', '--resume', killed, '--quiet'])).toMatchObject({ code: 0 })
  for (const part of ['model', 'ema', 'optimizer']) {
    const [a, b] = [killed, whole].map((run) =>
      readFileSync(join(run, 'checkpoints', 'step-0000060', `${part}.safetensors`)),
    )
    expect(a, part).toEqual(b)
  }
  expect(readdirSync(killed)).not.toContain('start.safetensors')
})

for (const name of ['openmpi', 'mpich'] as const) {
  const mpi = findMpi(name)
  const test = testNeeding('mpi', mpi !== null, `no mpirun of ${name}`)
  test(`${name}: two processes train adapters like one`, async () => {
    const folder = temporaryFolder()
    const from = ['train', '--from', await baseIn(folder), ...TRAIN, '--lora=2']
    const [one, two] = ['one', 'two'].map((run) => join(folder, run))
    expect((await runDit([...from, '--out', one, '--quiet'])).code).toBe(0)
    const launcher = ['--mpirun', mpi!.command(2).join(' ')]
    const launched = await runProcess([...from, ...launcher, '--out', two], { env: mpi!.env })
    expect(launched.code, launched.stderr).toBe(0)
    logOf(two).forEach(({ loss }, i) => expect(loss).toBeCloseTo(logOf(one)[i].loss, 6))
  })
}
