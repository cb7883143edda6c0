import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EVALUATED } from './support/evaluated-flags.js'
import { runDit, runProcess, temporaryFolder } from './support/run-dit.js'
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

test('leaves nothing out of what is trained, and draws from the best checkpoint by its name', async () => {
  const folder = temporaryFolder()
  const [plain, run] = ['plain', 'run'].map((name) => join(folder, name))
  const without = EVALUATED.filter((flag) => !flag.startsWith('--eval'))
  await runDit([...without, '--no-report', '--quiet', '--out', plain])
  await runDit([...EVALUATED, '--keep-best=recall', '--quiet', '--out', run])
  for (const part of ['model', 'ema', 'optimizer']) {
    const file = join('checkpoints', 'step-0000006', `${part}.safetensors`)
    expect(readFileSync(join(run, file)).equals(readFileSync(join(plain, file)))).toBe(true)
  }
  expect(readdirSync(plain)).not.toContain('report.html')
  const draw = ['--count=1', '--steps=2', '--backend=reference', '--out']
  const named = await runDit(['sample', run, '--checkpoint', 'best', ...draw, join(folder, 'a.png')])
  expect(named.stdout).toContain('(best by recall)')
  await runDit(['sample', join(run, 'checkpoints', 'best'), ...draw, join(folder, 'b.png')])
  expect(readFileSync(join(folder, 'a.png')).equals(readFileSync(join(folder, 'b.png')))).toBe(true)
  const none = await runDit(['sample', plain, '--checkpoint', 'best', ...draw, join(folder, 'c.png')])
  expect(none.stderr).toContain(
    'keeps no best checkpoint. `dit train` keeps one if it measures samples, with --eval-every',
  )
  const alone = await runDit(['sample', '--checkpoint', 'best'])
  expect(alone.stderr).toContain('--checkpoint best needs one run')
})

test('refuses another extractor than a run began with', async () => {
  const run = join(temporaryFolder(), 'run')
  await runDit([...EVALUATED, '--decay=constant', '--quiet', '--out', run])
  const config = join(run, 'config.json')
  writeFileSync(config, readFileSync(config, 'utf8').replace('"fingerprint": "small-', '"fingerprint": "other-'))
  const more = ['train', '--resume', run, '--steps', '8']
  expect((await runDit(more)).stderr).toContain(
    '--eval-extractor small has other weights than at the first evaluation of this run',
  )
  const { code, stderr } = await runDit([...more, '--allow-inexact'])
  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('resumed inexactly: --eval-extractor small') as string,
  })
})
