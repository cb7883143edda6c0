import { dispose } from '@dit/tensor'
import { expect, test } from 'vitest'
import { gaussianDiffusion, posterior } from '../../src/index.js'
import { readFixture } from '../fixture.js'
import { buffersLeft, draws, expectValues, float, numbers } from '../tensors.js'

const diffusion = gaussianDiffusion({ betas: [0.36, 0.4375] })

test('weighs x0 and xt as worked out by hand', async () => {
  const [x0, xt] = [float([1, 0], [2, 1, 1, 1]), float([0, 1], [2, 1, 1, 1])]
  const { mean, variance, logVariance } = posterior(diffusion, { x0, xt, timesteps: Int32Array.of(1, 1) })
  // 0.4375 * 0.8 / 0.64, 0.36 * 0.75 / 0.64, 0.4375 * 0.36 / 0.64
  await expectValues(mean, [0.546875, 0.421875])
  await expectValues(variance, [0.24609375, 0.24609375])
  await expectValues(logVariance, [Math.log(0.24609375), Math.log(0.24609375)])
})

test('is x0 itself at t = 0, with the log variance of t = 1', async () => {
  const [x0, xt] = [float([0.3, -0.7]), float([5, 6])]
  const { mean, variance, logVariance } = posterior(diffusion, { x0, xt, timesteps: Int32Array.of(0) })
  await expectValues(mean, [0.3, -0.7])
  await expectValues(variance, [0])
  await expectValues(logVariance, [Math.log(0.24609375)])
})

test('averages to q(x[t-1] | x0) over the draws of xt', async () => {
  const whole = gaussianDiffusion()
  const { alphaBar, alphaBarPrev } = whole.tables
  const timesteps = Int32Array.of(1, 2, 20, 500, 999)
  const count = timesteps.length
  const ones = float(new Float64Array(count).fill(1), [count, 1, 1, 1])
  const zeros = float(new Float64Array(count), [count, 1, 1, 1])
  const ofX0 = await numbers(posterior(whole, { x0: ones, xt: zeros, timesteps }).mean)
  const { mean, variance } = posterior(whole, { x0: zeros, xt: ones, timesteps })
  const [ofXt, spread] = [await numbers(mean), await numbers(variance)]
  for (const [i, t] of timesteps.entries()) {
    expect(ofX0[i] + ofXt[i] * Math.sqrt(alphaBar[t])).toBeCloseTo(Math.sqrt(alphaBarPrev[t]), 12)
    expect(spread[i] + ofXt[i] ** 2 * (1 - alphaBar[t])).toBeCloseTo(1 - alphaBarPrev[t], 12)
  }
})

test('agrees with the reference implementation', async () => {
  const { tensor, timesteps, expectClose } = readFixture('learned-range-respaced')
  const batch = { x0: tensor('in.x_start'), xt: tensor('out.x_t'), timesteps: timesteps('in.t') }
  await expectClose('out.posterior.mean', posterior(gaussianDiffusion({ respacing: '25' }), batch).mean)
})

test('leaves nothing behind but its results', async () => {
  const [x0, xt] = [draws([2, 3, 2, 2], 'x0'), draws([2, 3, 2, 2], 'xt')]
  expect(await buffersLeft(() => dispose(posterior(diffusion, { x0, xt, timesteps: Int32Array.of(0, 1) })))).toBe(0)
})

test('refuses samples of two shapes', () => {
  const [x0, xt] = [draws([1, 3, 2, 2], 'x0'), draws([1, 3, 2, 1], 'xt')]
  expect(() => posterior(diffusion, { x0, xt, timesteps: Int32Array.of(0) })).toThrow(
    new RangeError('posterior: xt must have the shape of x0 (got [1, 3, 2, 1] and [1, 3, 2, 2])'),
  )
})
