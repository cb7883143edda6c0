import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseLog } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import type { RunConfig } from '../src/run/run-config.js'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { stopDit } from './support/stop-dit.js'
import { TINY } from './support/tiny-flags.js'

const configOf = (out: string) => JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as RunConfig
const logOf = (out: string) => readFileSync(join(out, 'log.jsonl'), 'utf8')

/** A run that was stopped on its way to many steps. */
async function stopped(flags: readonly string[]): Promise<{ out: string; step: number }> {
  const out = join(temporaryFolder(), 'run')
  const { step } = await stopDit(['train', ...TINY, ...flags, '--steps', '100000', '--out', out], 2, 'SIGTERM')
  return { out, step }
}

test('a run with a constant learning rate that is shortened is the shorter run, to the byte', async () => {
  const { out, step } = await stopped(['--decay', 'constant'])
  const steps = String(step + 2)
  const resumed = await runDit(['train', '--resume', out, '--steps', steps])
  expect(resumed).toMatchObject({ code: 0, stderr: '' })
  expect(configOf(out).steps).toBe(step + 2)
  const whole = join(temporaryFolder(), 'whole')
  await runDit(['train', ...TINY, '--decay', 'constant', '--steps', steps, '--out', whole, '--quiet'])
  expect(logOf(out)).toBe(logOf(whole))
})

test('one whose learning rate falls is shortened with --allow-inexact only, and the change is told', async () => {
  const { out, step } = await stopped(['--lr', '1e-3', '--warmup', '0', '--decay', 'linear', '--final-lr', '0'])
  const steps = String(step + 1)
  const refused = await runDit(['train', '--resume', out, '--steps', steps])
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain(`planned for 100000 steps and now for ${steps}, which changes the course of`)
  // A run that does not go on has no learning rate to announce.
  expect(refused.stderr).not.toContain('goes on at')
  expect(configOf(out).steps).toBe(100_000)
  const allowed = await runDit(['train', '--resume', out, '--steps', steps, '--allow-inexact'])
  expect(allowed.code).toBe(0)
  expect(allowed.stderr).toMatch(
    /ends at step \S+ instead of 100,000: the learning rate goes on at 0 instead of 1e-3$/m,
  )
  const last = parseLog(logOf(out)).at(-1)!
  expect([last.step, last.learningRate]).toEqual([step + 1, 0])
})

test('fewer steps than are done are refused, and a length in minutes or epochs is for a new run', async () => {
  const out = join(temporaryFolder(), 'run')
  const first = await runDit(['train', ...TINY, '--epochs', '0.0002', '--warmup', '1', '--out', out, '--quiet'])
  expect(first).toMatchObject({ code: 0, stderr: '' })
  // 60,000 shapes in batches of 4.
  expect(configOf(out)).toMatchObject({ steps: 3, stepsFrom: { epochs: 0.0002 } })
  const cases: [string[], RegExp][] = [
    [
      ['--steps', '2'],
      /^dit: --steps 2: the run has done 3 steps, and a run cannot be shortened to less; .*run\/checkpoints/,
    ],
    [['--epochs', '1'], /^dit: --epochs fixes the length of a new run, but this one has its 3 steps; make it longer/],
    [['--minutes', '1'], /^dit: --minutes fixes the length/],
    [['--minutes', '1', '--steps', '9'], /^dit: --steps and --minutes each say how long to train; give only one/],
  ]
  for (const [flags, message] of cases) {
    const { code, stderr } = await runDit(['train', '--resume', out, ...flags])
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  }
  // The same flags again, as a restarted job gives them.
  expect(await runDit(['train', '--resume', out, '--epochs', '0.0002', '--quiet'])).toMatchObject({ code: 0 })
  expect(configOf(out)).toMatchObject({ steps: 3, stepsFrom: { epochs: 0.0002 } })
  // Another length comes from elsewhere.
  const longer = await runDit(['train', '--resume', out, '--steps', '4', '--allow-inexact', '--quiet'])
  expect(longer.code).toBe(0)
  expect(configOf(out)).not.toHaveProperty('stepsFrom')
})
