import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runProcess, temporaryFolder } from './support/run-dit.js'
import { stopDit } from './support/stop-dit.js'
import { TINY } from './support/tiny-flags.js'

const STEPS = 30

function trainArgs(out: string): string[] {
  const evaluation = [
    '--eval-every=4',
    '--eval-count=12',
    '--eval-steps=3',
    '--eval-measures=kid,recall',
    '--keep-last=2',
  ]
  return [
    'train',
    ...TINY,
    ...evaluation,
    '--warmup=1',
    '--steps',
    String(STEPS),
    '--checkpoint-every',
    '7',
    '--out',
    out,
  ]
}

/** The log, and all checkpoints that are kept in the end. */
function endOf(out: string): Record<string, string> {
  const last = join(out, 'checkpoints', `step-00000${STEPS}`)
  const files = [
    'log.jsonl',
    'checkpoints/best.json',
    ...readdirSync(last).map((name) => `${last.slice(out.length + 1)}/${name}`),
  ]
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(out, file)).toString('base64')]))
}

test('an evaluated run that was killed, and one that was interrupted, end in the bytes of an unbroken one', async () => {
  const folder = temporaryFolder()
  const [whole, killed, interrupted] = ['whole', 'killed', 'interrupted'].map((name) => join(folder, name))
  expect((await runProcess([...trainArgs(whole), '--quiet'])).code).toBe(0)
  await stopDit(trainArgs(killed), 13, 'SIGKILL')
  // The signal arrives while step 16 is evaluated, or near it.
  await stopDit(trainArgs(interrupted), 15, 'SIGINT')
  for (const out of [killed, interrupted]) {
    expect((await runProcess(['train', '--resume', out])).code).toBe(0)
    expect(endOf(out)).toEqual(endOf(whole))
  }
})

test('two workers keep the best checkpoint of one process, and resume to its end', async () => {
  const folder = temporaryFolder()
  const [one, two] = ['one', 'two'].map((name) => join(folder, name))
  const threads = ['--workers=2', '--threads=1', '--shard-optimizer']
  const results = await Promise.all([runProcess(trainArgs(one)), runProcess([...trainArgs(two), ...threads])])
  expect(results.map(({ code }) => code)).toEqual([0, 0])
  const steps = [one, two].map((out) => {
    const { step } = JSON.parse(readFileSync(join(out, 'checkpoints', 'best.json'), 'utf8')) as { step: number }
    return step
  })
  expect(steps[1]).toBe(steps[0])
})
