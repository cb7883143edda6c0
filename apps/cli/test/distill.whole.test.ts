import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseLog } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { runDit, runProcess, temporaryFolder } from './support/run-dit.js'
import { stopDit } from './support/stop-dit.js'
import { TINY } from './support/tiny-flags.js'

const STAGES = [
  '--start-steps=4',
  '--guidance-range=1,3',
  '--batch=4',
  '--warmup=0',
  '--sample-every=none',
  '--backend=reference',
]
const partsOf = (run: string, step: string) =>
  ['model', 'ema', 'optimizer'].map((part) => readFileSync(join(run, 'checkpoints', step, `${part}.safetensors`)))

test('two threads distil like one process, and what was killed ends in the bits of what was not', async () => {
  const folder = temporaryFolder()
  const [base, one, two, killed] = ['base', 'one', 'two', 'killed'].map((name) => join(folder, name))
  expect((await runDit(['train', ...TINY, '--steps=1', '--out', base, '--quiet'])).code).toBe(0)
  const distill = ['distill', '--from', base, ...STAGES]
  const short = [...distill, '--steps=3']
  expect(await runDit([...short, '--out', one, '--quiet'])).toMatchObject({ code: 0 })
  expect(await runProcess([...short, '--out', two, '--workers=2', '--quiet'])).toMatchObject({ code: 0 })
  const logOf = (run: string) => parseLog(readFileSync(join(run, '1-step', 'log.jsonl'), 'utf8'))
  expect(logOf(two)).toHaveLength(3)
  // float32: two workers sum in another order.
  logOf(two).forEach(({ loss }, i) => expect(loss / logOf(one)[i].loss).toBeCloseTo(1, 4))

  const long = [...distill, '--steps=60', '--checkpoint-every=20']
  const whole = join(folder, 'whole')
  expect(await stopDit([...long, '--out', killed], 30, 'SIGKILL')).toMatchObject({ signal: 'SIGKILL' })
  expect(await runDit([...long, '--out', killed, '--quiet'])).toMatchObject({ code: 0 })
  expect(await runDit([...long, '--out', whole, '--quiet'])).toMatchObject({ code: 0 })
  expect(partsOf(join(killed, '1-step'), 'step-0000060')).toEqual(partsOf(join(whole, '1-step'), 'step-0000060'))
})
