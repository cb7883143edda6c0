import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { integers, randomStream } from '@dit/random'
import { expect, test } from 'vitest'
import { runProcess, temporaryFolder } from './support/run-dit.js'
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
    runProcess([...trainArgs(whole), '--quiet']),
    stopDit(trainArgs(killed), randomStep(0), 'SIGKILL'),
    stopDit(trainArgs(interrupted), randomStep(1), 'SIGINT'),
  ])
  expect(unbroken.code).toBe(0)
  expect(kill.signal).toBe('SIGKILL')
  expect(interrupt.code).toBe(130)
  expect(existsSync(join(interrupted, 'checkpoints', `step-${String(interrupt.step).padStart(7, '0')}`))).toBe(true)
  expect(interrupt.step).toBeLessThan(STEPS)

  const resumed = await Promise.all([killed, interrupted].map((out) => runProcess(['train', '--resume', out])))
  expect(resumed.map(({ code }) => code)).toEqual([0, 0])
  expect(resumed[1].stdout).toContain(`resuming at step ${interrupt.step} from checkpoints/step-`)
  expect(endOf(killed)).toEqual(endOf(whole))
  expect(endOf(interrupted)).toEqual(endOf(whole))
})
