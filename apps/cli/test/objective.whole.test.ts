import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseLog } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { runProcess, temporaryFolder } from './support/run-dit.js'
import { stopDit } from './support/stop-dit.js'

const MODULE = fileURLToPath(new URL('fixtures/circle.mjs', import.meta.url))
const OPTIONS = ['--objective', MODULE, '--batch', '8', '--checkpoint-every', '5', '--engine', 'wasm', '--threads', '1']

const train = (run: string, steps: number, ...more: readonly string[]) => [
  'train',
  ...OPTIONS,
  '--decay',
  'constant',
  '--steps',
  String(steps),
  '--out',
  run,
  ...more,
]

function filesOf(run: string, step: string): Buffer[] {
  const folder = join(run, 'checkpoints', step)
  const files = readdirSync(folder).filter((name) => name.endsWith('.safetensors'))
  return [...files.map((name) => join(folder, name)), join(run, 'log.jsonl')].map((path) => readFileSync(path))
}

test('a run of a module that was killed ends in the bytes of an unbroken one', async () => {
  const folder = temporaryFolder()
  const [whole, killed] = [join(folder, 'whole'), join(folder, 'killed')]
  expect((await runProcess(train(whole, 400))).code).toBe(0)
  expect((await stopDit(train(killed, 400), 12, 'SIGKILL')).code).not.toBe(0)
  expect((await runProcess(['train', '--resume', killed])).code).toBe(0)
  expect(filesOf(killed, 'step-0000400')).toEqual(filesOf(whole, 'step-0000400'))
})

test('two workers import the module themselves, and learn what one learns', async () => {
  const folder = temporaryFolder()
  const [one, two, parts] = ['one', 'two', 'parts'].map((name) => join(folder, name))
  const finished = [
    await runProcess(train(one, 10)),
    await runProcess(train(two, 10, '--workers', '2')),
    await runProcess(train(parts, 10, '--workers', '2', '--shard-optimizer')),
  ]
  for (const { code, stderr } of finished) expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const [a, b, c] = [one, two, parts].map((run) => parseLog(readFileSync(join(run, 'log.jsonl'), 'utf8')))
  // Sums of 8 examples in another order, in float32.
  a.forEach(({ loss }, i) => expect(b[i].loss / loss).toBeCloseTo(1, 4))
  a.forEach(({ loss }, i) => expect(c[i].loss / loss).toBeCloseTo(1, 4))
})
