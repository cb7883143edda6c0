import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { integers, randomStream } from '@dit/random'
import { expect, test } from 'vitest'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { stopDit } from './support/stop-dit.js'
import { TINY } from './support/tiny-flags.js'

const STEPS = 45
/** Another seed stops at other steps: DIT_TEST_SEED=7 npx vitest run --project @dit/cli */
const SEED = Number(process.env.DIT_TEST_SEED ?? 0)

function trainArgs(out: string): string[] {
  return ['train', ...TINY, '--backend=tfjs-wasm', '--steps', String(STEPS), '--checkpoint-every', '7', '--out', out]
}

/** All that must not depend on where a run was stopped. */
function endOf(out: string): Record<string, string> {
  const last = join(out, 'checkpoints', `step-00000${STEPS}`)
  const files = [...readdirSync(last).map((name) => join(last, name)), join(out, 'log.jsonl')]
  expect(files).toHaveLength(6)
  return Object.fromEntries(files.map((file) => [file.slice(out.length), readFileSync(file).toString('base64')]))
}

function randomStep(which: number): number {
  // The last third is left for the signal to arrive in.
  const step = 1 + integers(randomStream(SEED, 'stop'), (STEPS * 2) / 3, 1, which)[0]
  console.log(`seed ${SEED}: stopped at step ${step}`)
  return step
}

test('a run that was killed, and one that was interrupted, end in the bytes of an unbroken one', async () => {
  const folder = temporaryFolder()
  const [whole, killed, interrupted] = ['whole', 'killed', 'interrupted'].map((name) => join(folder, name))
  const [unbroken, kill, interrupt] = await Promise.all([
    runDit([...trainArgs(whole), '--quiet']),
    stopDit(trainArgs(killed), randomStep(0), 'SIGKILL'),
    stopDit(trainArgs(interrupted), randomStep(1), 'SIGINT'),
  ])
  expect(unbroken.code).toBe(0)
  expect(kill.signal).toBe('SIGKILL')
  expect(interrupt.code).toBe(130)
  expect(existsSync(join(interrupted, 'checkpoints', `step-${String(interrupt.step).padStart(7, '0')}`))).toBe(true)
  expect(interrupt.step).toBeLessThan(STEPS)

  const resumed = await Promise.all([killed, interrupted].map((out) => runDit(['train', '--resume', out])))
  expect(resumed.map(({ code }) => code)).toEqual([0, 0])
  expect(resumed[1].stdout).toContain(`resuming at step ${interrupt.step} from checkpoints/step-`)
  expect(endOf(killed)).toEqual(endOf(whole))
  expect(endOf(interrupted)).toEqual(endOf(whole))
})

test('a truncated or missing file makes the checkpoint before it be used, and a message says so', async () => {
  const folder = temporaryFolder()
  const [truncated, missing] = [join(folder, 'truncated'), join(folder, 'missing')]
  await runDit(['train', ...TINY, '--steps', '6', '--checkpoint-every', '3', '--out', truncated, '--quiet'])
  const whole = readFileSync(join(truncated, 'checkpoints', 'step-0000006', 'model.safetensors'))
  cpSync(truncated, missing, { recursive: true })
  truncateSync(join(truncated, 'checkpoints', 'step-0000006', 'optimizer.safetensors'), 100)
  rmSync(join(missing, 'checkpoints', 'step-0000006', 'state.json'))

  const sampled = await runDit(['sample', '--run', truncated, '--count', '1', '--steps', '2', '--backend', 'reference'])
  expect(sampled.stderr).toMatch(/checkpoints\/step-0000006 is damaged \(optimizer\.safetensors has 100 bytes instead/)
  expect(sampled.stdout).toContain('step 3,')
  const resumed = await Promise.all([truncated, missing].map((out) => runDit(['train', '--resume', out])))
  expect(resumed[0].stderr).toMatch(/step-0000006 is damaged \(optimizer\.safetensors has 100 bytes instead of \d+\)/)
  expect(resumed[1].stderr).toContain('step-0000006 is damaged (state.json is missing)')
  for (const { code, stdout } of resumed) {
    expect(stdout).toContain('resuming at step 3 from checkpoints/step-0000003')
    expect(code).toBe(0)
  }
  for (const out of [truncated, missing]) {
    expect(readFileSync(join(out, 'checkpoints', 'step-0000006', 'model.safetensors'))).toEqual(whole)
  }
})

test('SIGTERM saves a checkpoint, tells how to go on and exits with 143', async () => {
  const out = join(temporaryFolder(), 'run')
  const { code, step } = await stopDit([...trainArgs(out), '--checkpoint-every', '1000'], 2, 'SIGTERM')
  expect(code).toBe(143)
  expect(readdirSync(join(out, 'checkpoints'))).toEqual([`step-${String(step).padStart(7, '0')}`])
})

test('a resume is refused where it would not repeat the run, unless that is allowed', async () => {
  const out = join(temporaryFolder(), 'run')
  await runDit(['train', ...TINY, '--steps', '2', '--out', out, '--quiet'])
  const refused = await runDit(['train', '--resume', out, '--backend', 'tfjs-cpu', '--steps', '3', '--quiet'])
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain(
    'the engine was reference and is tfjs-cpu; the run was planned for 2 steps and now for 3',
  )
  const args = ['train', '--resume', out, '--backend', 'tfjs-cpu', '--steps', '3', '--allow-inexact', '--quiet']
  const allowed = await runDit(args)
  expect(allowed.code).toBe(0)
  expect(allowed.stderr).toContain('resumed inexactly: the engine was reference and is tfjs-cpu')
  expect(readdirSync(join(out, 'checkpoints'))).toContain('step-0000003')
})
