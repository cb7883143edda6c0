import { add, concat, dispose, full, slice, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { addNoise, discretisedGaussianLogLikelihood, gaussianDiffusion, variationalTerm } from '../../src/index.js'
import { readFixture } from '../fixture.js'
import { buffersLeft, draws, expectValues, float, numbers } from '../tensors.js'

const betas = [0.36, 0.4375]
const shape = [3, 2, 2, 2]

test('is 0 above t = 0 for a perfect model with the posterior variance', async () => {
  const diffusion = gaussianDiffusion({ varianceType: 'fixedSmall' })
  const [x0, noise] = [draws(shape, 'x0'), draws(shape, 'noise')]
  const timesteps = Int32Array.of(1, 500, 999)
  const xt = addNoise(diffusion, x0, timesteps, noise)
  const { bits } = variationalTerm(diffusion, noise, { x0, xt, timesteps }, { clipDenoised: false })
  expect(bits.shape).toEqual([3])
  // squared rounding error of x0, over a variance of 5e-5
  await expectValues(bits, [0, 0, 0], 1e-9)
})

test('is the squared distance of the means over twice the variance, in bits', async () => {
  const diffusion = gaussianDiffusion({ betas, meanType: 'x0', varianceType: 'fixedSmall' })
  const batch = { x0: float([0.5, 0.5]), xt: float([1, -1]), timesteps: Int32Array.of(1) }
  const { bits } = variationalTerm(diffusion, float([0.9, 0.5]), batch)
  // the means differ by 0.546875 * 0.4 in one of two pixels
  await expectValues(bits, [(0.546875 * 0.4) ** 2 / (2 * 0.24609375) / 2 / Math.LN2])
})

test('is the likelihood of 8-bit values at t = 0', async () => {
  const diffusion = gaussianDiffusion({ betas, meanType: 'x0', varianceType: 'fixedSmall' })
  const [x0, estimate] = [float([0.5, -1]), float([0.4, -0.8])]
  const { bits } = variationalTerm(diffusion, estimate, { x0, xt: float([1, 1]), timesteps: Int32Array.of(0) })
  const logScale = float([Math.log(0.24609375) / 2])
  const [a, b] = await numbers(discretisedGaussianLogLikelihood(x0, estimate, logScale))
  await expectValues(bits, [-(a + b) / 2 / Math.LN2])
})

test('gives a sample the same term whatever its neighbours are', async () => {
  const diffusion = gaussianDiffusion({ respacing: '10' })
  const timesteps = Int32Array.of(0, 4, 0)
  const [x0, xt, output] = [draws(shape, 'x0'), draws(shape, 'xt'), draws([3, 4, 2, 2], 'output')]
  const together = await numbers(variationalTerm(diffusion, output, { x0, xt, timesteps }).bits)
  for (const [i, timestep] of timesteps.entries()) {
    const one = (x: Tensor) => slice(x, 0, i, 1)
    const batch = { x0: one(x0), xt: one(xt), timesteps: Int32Array.of(timestep) }
    await expectValues(variationalTerm(diffusion, one(output), batch).bits, [together[i]])
  }
})

test('agrees with the reference implementation', async () => {
  const { tensor, timesteps, expectClose } = readFixture('learned-range-respaced')
  const diffusion = gaussianDiffusion({ respacing: '25' })
  const batch = { x0: tensor('in.x_start'), xt: tensor('out.x_t'), timesteps: timesteps('in.t') }
  expect(batch.timesteps).toContain(0)
  const output = tensor('in.model_output')
  await expectClose('out.clip.vb', variationalTerm(diffusion, output, batch).bits)
  await expectClose('out.noclip.vb', variationalTerm(diffusion, output, batch, { clipDenoised: false }).bits)
})

test('leaves nothing behind but its results', async () => {
  const diffusion = gaussianDiffusion({ betas })
  const [x0, xt] = [draws(shape, 'x0'), draws(shape, 'xt')]
  const output = concat([add(x0, xt), full(shape, 0.1)], 1)
  for (const timesteps of [
    [0, 0, 0],
    [0, 1, 1],
    [1, 1, 1],
  ]) {
    const batch = { x0, xt, timesteps: Int32Array.from(timesteps) }
    expect(await buffersLeft(() => dispose(variationalTerm(diffusion, output, batch)))).toBe(0)
  }
})

test('refuses an output of another shape', () => {
  const x0 = draws(shape, 'x0')
  const batch = { x0, xt: x0, timesteps: Int32Array.of(0, 1, 1) }
  expect(() => variationalTerm(gaussianDiffusion({ betas }), x0, batch)).toThrow(
    /variationalTerm: with varianceType learnedRange .* must return \[3, 4, 2, 2\] \(got \[3, 2, 2, 2\]\)/,
  )
})
