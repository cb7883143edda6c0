import { dispose } from '@dit/tensor'
import { expect, test } from 'vitest'
import { addNoise, gaussianDiffusion, noisedMeanVariance } from '../../src/index.js'
import { readFixture } from '../fixture.js'
import { buffersLeft, draws, expectValues, float } from '../tensors.js'

// alphaBar is 0.64, then 0.36
const diffusion = gaussianDiffusion({ betas: [0.36, 0.4375] })

test('mixes 0.8 of the sample and 0.6 of the noise at alphaBar 0.64', async () => {
  const x0 = float([1, -1, 1, -1], [2, 1, 1, 2])
  const noise = float([2, 0, 2, 0], [2, 1, 1, 2])
  await expectValues(addNoise(diffusion, x0, Int32Array.of(0, 1), noise), [2, -0.8, 2.2, -0.6])
})

test('gives mean and variance of q(xt | x0)', async () => {
  const { mean, variance, logVariance } = noisedMeanVariance(
    diffusion,
    float([1, 2], [2, 1, 1, 1]),
    Int32Array.of(0, 1),
  )
  await expectValues(mean, [0.8, 1.2])
  await expectValues(variance, [0.36, 0.64])
  await expectValues(logVariance, [Math.log(0.36), Math.log(0.64)])
  expect(variance.shape).toEqual([2, 1, 1, 1])
})

test('agrees with the reference implementation', async () => {
  const { tensor, timesteps, expectClose } = readFixture('learned-range-respaced')
  const respaced = gaussianDiffusion({ respacing: '25' })
  const x0 = tensor('in.x_start')
  await expectClose('out.x_t', addNoise(respaced, x0, timesteps('in.t'), tensor('in.noise')))
  await expectClose('out.q.mean', noisedMeanVariance(respaced, x0, timesteps('in.t')).mean)
})

test('leaves nothing behind but its results', async () => {
  const [x0, noise] = [draws([2, 3, 2, 2], 'x0'), draws([2, 3, 2, 2], 'noise')]
  const timesteps = Int32Array.of(0, 1)
  expect(await buffersLeft(() => addNoise(diffusion, x0, timesteps, noise).dispose())).toBe(0)
  expect(await buffersLeft(() => dispose(noisedMeanVariance(diffusion, x0, timesteps)))).toBe(0)
})

test('refuses batches that do not fit together', () => {
  const x0 = draws([2, 3, 2, 2], 'x0')
  expect(() => addNoise(diffusion, x0, Int32Array.of(0, 1), draws([2, 3, 2, 1], 'noise'))).toThrow(
    new RangeError('addNoise: noise must have the shape of x0 (got [2, 3, 2, 1] and [2, 3, 2, 2])'),
  )
  expect(() => addNoise(diffusion, x0, Int32Array.of(0), x0)).toThrow(
    new RangeError('addNoise: there must be one timestep per sample (got 1 for x0 [2, 3, 2, 2])'),
  )
  expect(() => addNoise(diffusion, x0, Int32Array.of(0, -1), x0)).toThrow(/timesteps must be in 0 \.\. 1 \(got -1\)/)
  expect(() => noisedMeanVariance(diffusion, float([1], [1]), Int32Array.of(0))).toThrow(
    new RangeError('noisedMeanVariance: x0 must be [B, C, ...] (got [1])'),
  )
})
