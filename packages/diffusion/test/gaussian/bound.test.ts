import { affine, concat, full, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { addNoise, boundOverSteps, gaussianDiffusion, priorBits, variationalTerm } from '../../src/index.js'
import { readFixture } from '../fixture.js'
import { backend, buffersLeft, draws, expectValues, float } from '../tensors.js'

const diffusion = gaussianDiffusion({ respacing: '5' })
const x0 = draws([2, 1, 2, 2], 'x0')
const predict = (xt: Tensor) => concat([affine(xt, 0.5), full(xt.shape, 0.1)], 1)
const noise = (step: number) => draws([2, 1, 2, 2], 'bound', step)

test('adds the prior and the terms of all steps, noisiest first', async () => {
  const told: number[] = []
  const { numSteps, total, prior, vb, x0Mse, mse } = await boundOverSteps(
    diffusion,
    (xt, original) => {
      told.push(original[0])
      return predict(xt)
    },
    x0,
    { noise },
  )
  expect(told).toEqual([999, 749, 500, 250, 0])
  expect(numSteps).toBe(5)
  expect([total.length, prior.length, vb.length, x0Mse.length, mse.length]).toEqual([2, 2, 10, 10, 10])
  for (const sample of [0, 1]) {
    const terms = vb.slice(5 * sample, 5 * sample + 5)
    expect(total[sample]).toBeCloseTo(
      terms.reduce((a, b) => a + b, prior[sample]),
      12,
    )
  }
  const timesteps = Int32Array.of(3, 3) // column 1
  const xt = addNoise(diffusion, x0, timesteps, noise(1))
  await expectValues(variationalTerm(diffusion, predict(xt), { x0, xt, timesteps }).bits, [vb[1], vb[6]])
  await expectValues(priorBits(diffusion, x0), [...prior])
})

test('finds no error in a model that knows the noise', async () => {
  const exact = gaussianDiffusion({ respacing: '5', varianceType: 'fixedSmall' })
  let step = 0
  const { vb, x0Mse, mse } = await boundOverSteps(exact, () => noise(step++), x0, { noise, clipDenoised: false })
  for (const errors of [vb.slice(0, 4), x0Mse, mse]) {
    for (const error of errors) expect(error).toBeLessThan(1e-12)
  }
})

test('is the KL divergence of two normals at the end, by hand', async () => {
  const short = gaussianDiffusion({ betas: [0.36, 0.4375] })
  // mean 0.6 x0 and variance 0.64 against 0 and 1
  const bits = [1, -2].map((x) => ((0.6 * x) ** 2 + 0.64 - 1 - Math.log(0.64)) / 2 / Math.LN2)
  await expectValues(priorBits(short, float([1, -2], [2, 1, 1, 1])), bits)
})

test('agrees with the reference implementation on the prior', async () => {
  const { tensor, expectClose } = readFixture('learned-range-respaced')
  await expectClose('out.prior_bpd', priorBits(gaussianDiffusion({ respacing: '25' }), tensor('in.x_start')))
})

test('repeats itself with a seed', async () => {
  const one = await boundOverSteps(diffusion, predict, x0, { noise: 3 })
  expect(await boundOverSteps(diffusion, predict, x0, { noise: 3 })).toEqual(one)
  expect((await boundOverSteps(diffusion, predict, x0, { noise: 4 })).total).not.toEqual(one.total)
})

test('measures a chain of one step', async () => {
  const { numSteps, vb } = await boundOverSteps(gaussianDiffusion({ betas: [0.5] }), predict, x0, { noise })
  expect(numSteps).toBe(1)
  expect(vb.every(Number.isFinite)).toBe(true)
})

test('leaves nothing behind, whether it ends, fails or is stopped', async () => {
  expect(await buffersLeft(() => boundOverSteps(diffusion, predict, x0, { noise: 0 }))).toBe(0)
  const controller = new AbortController()
  const before = backend.memory().buffers
  const stopped = boundOverSteps(
    diffusion,
    (xt, [timestep]) => {
      if (timestep === 500) controller.abort(new Error('enough'))
      return predict(xt)
    },
    x0,
    { noise: 0, signal: controller.signal },
  )
  await expect(stopped).rejects.toThrow('enough')
  await expect(boundOverSteps(diffusion, (xt) => xt, x0, { noise: 0 })).rejects.toThrow(/the model must return/)
  expect(backend.memory().buffers).toBe(before)
})

test('can be stopped by a timer', async () => {
  const controller = new AbortController()
  setTimeout(() => controller.abort(new Error('time is up')), 0)
  const long = boundOverSteps(gaussianDiffusion(), predict, x0, { noise: 0, signal: controller.signal })
  await expect(long).rejects.toThrow('time is up')
})
