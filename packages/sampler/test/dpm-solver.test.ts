import { gaussianDiffusion, type Predict } from '@dit/diffusion'
import { dpmSolver, lastStep } from '@dit/sampler'
import { dpmSteps } from '@dit/schedules'
import { affine } from '@dit/tensor'
import { expect, test } from 'vitest'
import { predictorOfPoint } from './models.js'
import { buffersLeft, draws, expectValues, float, numbers } from '../../diffusion/test/tensors.js'

const diffusion = gaussianDiffusion()
const { alphaBar } = diffusion.tables
const steps = (numSteps: number, more = {}) => dpmSteps({ alphaBar, numSteps, spacing: 'linspace', ...more })

test('one step by hand: no noise is left, only the estimate of x0', async () => {
  const own = { timesteps: Int32Array.of(3), sigmas: Float64Array.of(Math.sqrt(3), 0) }
  const seen: number[] = []
  const predict: Predict = (xt, [timestep]) => (seen.push(timestep), affine(xt, 0.5))
  // alpha = 1/2, sigma = sqrt(3)/2: x0 = (1 - sqrt(3)/4) / (1/2)
  await expectValues(await lastStep(dpmSolver(own, predict, float([1]))), [2 - Math.sqrt(3) / 2])
  expect(seen).toEqual([3])
})

test('two steps of order 2 by hand', async () => {
  // sigmas 2, 1, 1/2: h = ln 2 each, r = 1; the model says x0 = 1, then 3.
  const own = { timesteps: Int32Array.of(9, 4), sigmas: Float64Array.of(2, 1, 0.5) }
  const predict: Predict = (_, [timestep]) => float([timestep === 9 ? 1 : 3])
  const options = { predictionType: 'x0', lowerOrderFinal: false } as const
  const alpha = (sigma: number) => 1 / Math.sqrt(1 + sigma * sigma)
  const first = ((1 * alpha(1)) / (2 * alpha(2))) * 5 + alpha(1) * 0.5 * 1
  const second = ((0.5 * alpha(0.5)) / (1 * alpha(1))) * first + alpha(0.5) * 0.5 * (3 + 0.5 * (3 - 1))
  await expectValues(await lastStep(dpmSolver(own, predict, float([5]), options)), [second])
  const firstOrder = ((0.5 * alpha(0.5)) / (1 * alpha(1))) * first + alpha(0.5) * 0.5 * 3
  await expectValues(await lastStep(dpmSolver(own, predict, float([5]), { predictionType: 'x0' })), [firstOrder])
  const plain = { ...options, order: 1 } as const
  await expectValues(await lastStep(dpmSolver(own, predict, float([5]), plain)), [firstOrder])
})

test('finds data that is always one point, in any number of steps', async () => {
  const x0 = draws([1, 2, 2, 2], 'x0')
  for (const numSteps of [1, 3, 20]) {
    const found = await lastStep(dpmSolver(steps(numSteps), predictorOfPoint(diffusion, x0), draws([1, 2, 2, 2], 'xT')))
    await expectValues(found, await numbers(x0), 1e-10)
  }
})

test('is of second order where order is 2, of first where it is 1', async () => {
  // Normal data: the exact solution multiplies xt by the ratio of the deviations.
  const variance = 0.25
  const deviation = (sigma: number) => Math.sqrt((variance + sigma ** 2) / (1 + sigma ** 2))
  // Sigmas from 10 to 0.1, even in the logarithm; the model is told which step it is and knows its sigma.
  const errorOf = async (numSteps: number, order: 1 | 2) => {
    const sigmas = Float64Array.from({ length: numSteps + 1 }, (_, i) => 10 ** (1 - (2 * i) / numSteps))
    const own = { timesteps: Int32Array.from({ length: numSteps }, (_, i) => i), sigmas }
    const exact: Predict = (xt, [i]) => {
      const share = 1 / (1 + sigmas[i] ** 2)
      return affine(xt, Math.sqrt(1 - share) / (share * variance + 1 - share))
    }
    const [got] = await numbers(await lastStep(dpmSolver(own, exact, float([1]), { order, lowerOrderFinal: false })))
    return Math.abs(got - deviation(0.1) / deviation(10))
  }
  expect((await errorOf(40, 1)) / (await errorOf(80, 1))).toBeGreaterThan(1.8)
  expect((await errorOf(40, 1)) / (await errorOf(80, 1))).toBeLessThan(2.3)
  expect((await errorOf(40, 2)) / (await errorOf(80, 2))).toBeGreaterThan(3.5)
})

test('clips the estimate of x0, and leaves variance channels alone', async () => {
  const own = { timesteps: Int32Array.of(0), sigmas: Float64Array.of(1, 0) }
  const predict: Predict = () => float([4, -3, 100, 100], [1, 4, 1, 1])
  const xT = float([1, 1], [1, 2, 1, 1])
  const found = await lastStep(dpmSolver(own, predict, xT, { predictionType: 'x0', clipRange: 2 }))
  await expectValues(found, [2, -2])
})

test('leaves nothing behind, also when it is stopped', async () => {
  const predict: Predict = (xt) => affine(xt, 0.5)
  const xT = draws([1, 1, 2, 2], 'xT')
  expect(await buffersLeft(async () => (await lastStep(dpmSolver(steps(8), predict, xT))).dispose())).toBe(0)
  expect(
    await buffersLeft(async () => {
      for await (const { index } of dpmSolver(steps(8), predict, xT)) if (index === 3) break
    }),
  ).toBe(0)
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(lastStep(dpmSolver(steps(8), predict, xT, { signal }))).rejects.toThrow('enough')
})

test('errors', async () => {
  const predict: Predict = () => float([1, 2, 3])
  const xT = float([1])
  expect(() => dpmSolver(steps(3), predict, xT, { order: 3 as 2 })).toThrow(
    new RangeError('dpmSolver: order must be 1 or 2 (got 3)'),
  )
  expect(() => dpmSolver(steps(3), predict, xT, { clipRange: 0 })).toThrow(/clipRange must be positive/)
  expect(() => dpmSolver(steps(3), predict, xT, { predictionType: 'score' as 'v' })).toThrow(
    new RangeError('dpmSolver: predictionType must be epsilon, x0 or v (got score)'),
  )
  const rising = { timesteps: Int32Array.of(1, 0), sigmas: Float64Array.of(1, 2, 0) }
  expect(() => dpmSolver(rising, predict, xT)).toThrow(
    new RangeError('dpmSolver: steps must have one more sigma than timesteps, falling to 0 or above (got 3 and 2)'),
  )
  await expect(lastStep(dpmSolver(steps(3), predict, xT))).rejects.toThrow(
    new RangeError('dpmSolver: the model must return [1, 1, 1, 1], or twice the channels (it returned [1, 1, 1, 3])'),
  )
})
