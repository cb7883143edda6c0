import { cpSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { stopDit } from './support/stop-dit.js'
import { TINY } from './support/tiny-flags.js'

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
  const args = ['train', ...TINY, '--steps', '100000', '--out', out]
  const { code, step } = await stopDit(args, 2, 'SIGTERM')
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
