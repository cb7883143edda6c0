import { countedNetwork } from '@dit/model'
import { countMultiplyAdds, planMemory } from '@dit/scaling'
import { reference } from '@dit/tensor'
import { expect, test } from 'vitest'
import { resolveRun } from '../../src/run/resolve-run.js'
import { workerPlan } from '../../src/run/worker-plan.js'
import { denoisingOf } from '../../src/run/objective-config.js'
import { howText, planStep } from '../../src/time/plan-time.js'

const FLAGS = { size: 8, patch: 4, hidden: 16, depth: 1, heads: 2, batch: 12 }
const run = resolveRun(FLAGS, 6)
const { model } = denoisingOf(run, 'test')
const flops = countMultiplyAdds(countedNetwork(model)).trainingFlops

/** Plans with a product of 64 by 64 that takes `productSeconds`, and steps of a quarter of a second. */
async function planned(productSeconds: number, { workers = 1, available = Infinity } = {}) {
  const backend = reference()
  const ticks = [0, ...[0, 1, 2].flatMap(() => [0, productSeconds]), 0]
  let [look, now] = [0, 0]
  const clock = () => (look < ticks.length ? ticks[look++] : (now += 0.25))
  const step = await planStep(run, { backend, workers, available, clock })
  expect(backend.memory().buffers).toBe(0)
  return step
}

test('steps that are short are measured with all examples of a worker', async () => {
  const step = await planned(0.1)
  expect(step).toMatchObject({ how: 'measured', secondsPerStep: 0.25, steps: 3, examples: 12, examplesRun: 12 })
  expect(step.peak).toBe((2 * 64 ** 3) / 0.1)
  expect(step.share).toBeCloseTo((12 * flops) / 0.25 / step.peak, 9)
  expect(howText(step, flops)).toMatch(/^measured over 3 steps; they reach \d+ % of the 5\.243 MFLOP\/s of/)
  expect(await planned(0.1, { workers: 3 })).toMatchObject({ how: 'measured', examples: 4, secondsPerStep: 0.25 })
})

test('of longer ones a part of the batch is run, and what it takes is scaled', async () => {
  // An engine on which an example is expected to take 1.1 s, of which two are run: three seconds are the most.
  const seconds = (1.1 * 0.4 * 2 * 64 ** 3) / flops
  const step = await planned(seconds)
  expect(step).toMatchObject({ how: 'scaled', examples: 12, examplesRun: 2, secondsPerStep: 1.5 })
  expect(howText(step, flops)).toContain('measured over 3 steps of 2 of the 12 examples')
})

test('so it is where memory has room for a part only, and nothing is run where it has none', async () => {
  const of = (batch: number) =>
    planMemory(countedNetwork(model), workerPlan(model, resolveRun({ ...FLAGS, batch }, 6), 1)).total
  expect(await planned(0.1, { available: of(12) })).toMatchObject({ how: 'measured' })
  expect(await planned(0.1, { available: of(12) - 1 })).toMatchObject({ how: 'scaled', examplesRun: 6 })
  expect(await planned(0.1, { available: of(1) - 1 })).toMatchObject({ how: 'counted', examplesRun: 0 })
})

test('where an example takes very long its FLOPs are counted, at a typical share of the peak', async () => {
  const seconds = (6 * 0.4 * 2 * 64 ** 3) / flops
  const step = await planned(seconds)
  expect(step).toMatchObject({ how: 'counted', steps: 0, share: 0.4 })
  expect(step.secondsPerStep).toBeCloseTo(72, 6)
  expect(howText(step, flops)).toMatch(/^not measured, .* takes 6 s .*: .*FLOPs at 40 % of the .*, which is typical$/)
})
