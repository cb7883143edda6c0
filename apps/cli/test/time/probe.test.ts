import { shapesDataset } from '@dit/data'
import { reference } from '@dit/tensor'
import { objectiveFromSpec, singleCommunicator } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { batchSource } from '../../src/run/batch-source.js'
import { PROBE_STEPS, probeSteps } from '../../src/time/probe.js'
import { tinyConfig } from '../support/tiny-run.js'

async function probed(clock: () => number, seconds: number | null = null) {
  const { objective: spec, recipe, seed } = tinyConfig
  const backend = reference()
  const dataset = shapesDataset({ size: 4, length: 60 })
  const data = batchSource(dataset, {
    batchSize: recipe.batchSize,
    seed,
    flip: false,
    steps: seconds === null ? PROBE_STEPS : 100,
  })
  const objective = objectiveFromSpec(spec)
  const communicator = singleCommunicator()
  const probe = await probeSteps({ objective, recipe, data, backend, seed, communicator }, clock, seconds)
  await data.close()
  return { probe, backend }
}

test('times three steps after the first, and leaves nothing on the engine', async () => {
  let now = 0
  const { probe, backend } = await probed(() => (now += 2))
  expect(probe).toEqual({ secondsPerStep: 2, steps: 3 })
  expect(backend.memory().buffers).toBe(0)
})

test('of very long steps one is timed; of very short ones no more than there are batches for', async () => {
  let now = 0
  expect((await probed(() => (now += 60))).probe).toEqual({ secondsPerStep: 60, steps: 1 })
  expect((await probed(() => (now += 1 / 1024))).probe).toEqual({ secondsPerStep: 1 / 1024, steps: PROBE_STEPS - 1 })
})

test('a long probe counts its second half, in which steps are no longer slow', async () => {
  let [now, calls] = [0, 0]
  const { probe } = await probed(() => (now += calls++ < 10 ? 4 : 1), 90)
  expect(probe.secondsPerStep).toBe(1)
  expect(probe.steps).toBeGreaterThan(40)
})
