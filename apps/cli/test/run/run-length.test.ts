import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { shapesDataset } from '@dit/data'
import { reference } from '@dit/tensor'
import { objectiveFromSpec } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { singleJob } from '../../src/job/job.js'
import type { PreparedRun } from '../../src/run/prepare-training.js'
import { lengthInEpochs, lengthText, stepsOfEpochs, withTimedLength } from '../../src/run/run-length.js'
import type { RunConfig } from '../../src/run/run-config.js'
import { runTraining } from '../../src/run/run-training.js'
import { createOutput } from '../../src/terminal/output.js'
import { temporaryFolder } from '../support/run-dit.js'
import { tinyConfig } from '../support/tiny-run.js'

function prepared(changes: Partial<RunConfig> = {}, folder = join(temporaryFolder(), 'run')): PreparedRun {
  const dataset = shapesDataset({ size: 4, length: 60 })
  return {
    folder,
    config: { ...tinyConfig, ...changes },
    objective: objectiveFromSpec(tinyConfig.objective),
    data: { dataset, config: tinyConfig.data, close: async () => {} },
    engine: { backend: reference(), description: tinyConfig.engine },
    isResume: false,
    allowInexact: false,
    moduleBatches: null,
  }
}

/** What was said, and a run whose steps take a second each. */
async function timed(changes: Partial<RunConfig>, run = prepared(changes)) {
  let said = ''
  const stream = { write: (text: string) => (said += text) }
  let now = 0
  const clock = () => (now += 1)
  const chosen = await withTimedLength(run, createOutput({}, { stdout: stream, stderr: stream }), singleJob(), {
    began: 0,
    clock,
  })
  return { config: chosen.config, said, chosen }
}

test('minutes become the steps that fit, with time kept for the probe and a reserve', async () => {
  // 8 looks at the clock have gone by: 112 s are left of 120, 97 % of which are 108 steps of a second.
  const { config, said } = await timed({ stepsFrom: { minutes: 2 } })
  expect(config.steps).toBe(108)
  expect(config.stepsFrom).toEqual({ minutes: 2, secondsPerStep: 1 })
  expect(said).toBe('timing the first steps, on a copy\n')
  expect(lengthText(config)).toBe(' (as many as fit into 2 minutes, at 1 s a step)')
})

test('says where hardly any steps fit, and refuses where none does', async () => {
  const { config, said } = await timed({ stepsFrom: { minutes: 0.5 } })
  expect(config.steps).toBe(21)
  expect(said).toContain('only 21 steps fit into 0.5 minutes, too few to learn much; 50 steps need about 1 minutes')
  await expect(timed({ stepsFrom: { minutes: 0.1 } })).rejects.toThrow(
    '--minutes 0.1 is too short: 50 steps of 1 s need about 1 minutes with all that belongs to them',
  )
  // A grid of 36 pictures takes 50 passes each: 36 * 50 / 6 s.
  await expect(timed({ stepsFrom: { minutes: 5 }, sampleEvery: 500 })).rejects.toThrow('need about 6.2 minutes')
})

test('a run without minutes, and one that is resumed, are not timed', async () => {
  const plain = prepared()
  expect((await timed({}, plain)).chosen).toBe(plain)
  const resumed = { ...prepared({ stepsFrom: { minutes: 1 } }), isResume: true }
  expect((await timed({}, resumed)).chosen).toBe(resumed)
})

test('timing changes no byte of the run', async () => {
  const silent = createOutput({ quiet: true }, process)
  const { chosen } = await timed({ stepsFrom: { minutes: 0.3 } })
  const { steps } = chosen.config
  const plain = prepared({ steps })
  for (const run of [chosen, plain]) await runTraining(run, silent)
  const read = (run: PreparedRun, name: string) => readFileSync(join(run.folder, name))
  const last = `checkpoints/step-${String(steps).padStart(7, '0')}`
  for (const name of ['log.jsonl', `${last}/ema.safetensors`, `${last}/optimizer.safetensors`]) {
    expect(read(chosen, name).equals(read(plain, name))).toBe(true)
  }
  expect(read(plain, 'log.jsonl').toString()).not.toMatch(/minute|second/)
})

test('epochs are counted in pictures that are trained on', async () => {
  expect(stepsOfEpochs(1, 60, 2)).toBe(30)
  expect(stepsOfEpochs(0.5, 61, 2)).toBe(16)
  expect(stepsOfEpochs(1e-9, 60, 2)).toBe(1)
  const { data } = prepared()
  const plan = { ...tinyConfig, stepsFrom: { epochs: 1.5 } }
  expect(await lengthInEpochs(plan, data)).toEqual({ steps: 45 })
  // Of ten pictures of each class, one is held out.
  expect(await lengthInEpochs({ ...plan, heldOut: { share: 0.1, every: 2 } }, data)).toEqual({ steps: 41 })
  expect(await lengthInEpochs(tinyConfig, data)).toBe(null)
  await expect(lengthInEpochs(plan, { dataset: null })).rejects.toThrow('a module does not tell; give --steps')
  expect(lengthText(plan)).toBe(' (1.5 epochs)')
})
