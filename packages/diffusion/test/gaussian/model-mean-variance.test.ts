import { affine, concat, dispose, full, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import {
  addNoise,
  gaussianDiffusion,
  type MeanType,
  modelMeanVariance,
  noiseFromX0,
  posterior,
  x0FromNoise,
} from '../../src/index.js'
import { readFixture } from '../fixture.js'
import { buffersLeft, draws, expectValues, float, numbers } from '../tensors.js'

const betas = [0.36, 0.4375]
const shape = [2, 3, 2, 2]
const timesteps = Int32Array.of(0, 1)
const denoise = (x0: Tensor) => affine(x0, 0.5)
const withV = (prediction: Tensor, v: number) => concat([prediction, full(prediction.shape, v)], 1)

test.each<MeanType>(['epsilon', 'x0', 'previousX'])(
  'finds x0 and the posterior from a perfect %s model',
  async (meanType) => {
    const diffusion = gaussianDiffusion({ betas, meanType, varianceType: 'fixedSmall' })
    const [x0, noise] = [draws(shape, 'x0'), draws(shape, 'noise')]
    const xt = addNoise(diffusion, x0, timesteps, noise)
    const output = meanType === 'x0' ? x0 : noise
    const found = modelMeanVariance(diffusion, output, { xt, timesteps }, { clipDenoised: false })
    const truth = posterior(diffusion, { x0, xt, timesteps })
    await expectValues(found.x0, await numbers(x0))
    await expectValues(found.mean, await numbers(truth.mean))
    await expectValues(found.variance, await numbers(truth.variance))
    await expectValues(found.logVariance, await numbers(truth.logVariance))
  },
)

test('takes a learned log variance between those of posterior and beta, and beyond', async () => {
  const xt = draws([2, 1, 1, 1], 'xt')
  const batch = { xt, timesteps: Int32Array.of(1, 0) }
  const [small, large] = [Math.log(0.24609375), Math.log(0.4375)]
  for (const varianceType of ['learnedRange', 'learned'] as const) {
    const diffusion = gaussianDiffusion({ betas, varianceType })
    const at = async (v: number) => numbers(modelMeanVariance(diffusion, withV(xt, v), batch).logVariance)
    expect((await at(-1))[0]).toBeCloseTo(small, 12)
    expect((await at(1))[0]).toBeCloseTo(large, 12)
    expect((await at(0))[0]).toBeCloseTo((small + large) / 2, 12)
    expect((await at(3))[0]).toBeCloseTo(2 * large - small, 12)
    // at t = 0 the posterior variance of t = 1 stands in for 0
    expect((await at(-1))[1]).toBeCloseTo(small, 12)
    expect((await at(1))[1]).toBeCloseTo(Math.log(0.36), 12)
  }
  const { variance, logVariance } = modelMeanVariance(gaussianDiffusion({ betas }), withV(xt, 0.4), batch)
  await expectValues(variance, (await numbers(logVariance)).map(Math.exp))
})

test('takes fixed variances from the schedule', async () => {
  const xt = draws(shape, 'xt')
  const of = (varianceType: 'fixedSmall' | 'fixedLarge') =>
    modelMeanVariance(gaussianDiffusion({ betas, varianceType }), xt, { xt, timesteps })
  await expectValues(of('fixedSmall').variance, [0, 0.24609375])
  await expectValues(of('fixedSmall').logVariance, [Math.log(0.24609375), Math.log(0.24609375)])
  await expectValues(of('fixedLarge').variance, [0.24609375, 0.4375])
  await expectValues(of('fixedLarge').logVariance, [Math.log(0.24609375), Math.log(0.4375)])
  expect(of('fixedLarge').variance.shape).toEqual([2, 1, 1, 1])
})

test('clips the estimate of x0 by default, after the denoise hook', async () => {
  const diffusion = gaussianDiffusion({ betas, meanType: 'x0', varianceType: 'fixedSmall' })
  const xt = float([0, 0, 0])
  const batch = { xt, timesteps: Int32Array.of(1) }
  const output = float([-3, 0.5, 1.5])
  await expectValues(modelMeanVariance(diffusion, output, batch).x0, [-1, 0.5, 1])
  await expectValues(modelMeanVariance(diffusion, output, batch, { clipDenoised: false }).x0, [-3, 0.5, 1.5])
  await expectValues(modelMeanVariance(diffusion, output, batch, { denoise }).x0, [-1, 0.25, 0.75])
  await expectValues(modelMeanVariance(diffusion, output, batch, { denoise }).mean, [-0.546875, 0.13671875, 0.41015625])
})

test('turns noise into x0 and back', async () => {
  const diffusion = gaussianDiffusion()
  const steps = Int32Array.of(0, 999)
  const [xt, noise] = [draws(shape, 'xt'), draws(shape, 'noise')]
  const x0 = x0FromNoise(diffusion, { xt, timesteps: steps, noise })
  // at t = 0 the difference of two numbers near 1 is divided by 0.01
  await expectValues(noiseFromX0(diffusion, { xt, timesteps: steps, x0 }), await numbers(noise), 1e-11)
})

test('agrees with the reference implementation', async () => {
  const { tensor, timesteps, expectClose } = readFixture('learned-range-respaced')
  const diffusion = gaussianDiffusion({ respacing: '25' })
  const batch = { xt: tensor('out.x_t'), timesteps: timesteps('in.t') }
  for (const [name, clipDenoised] of [
    ['clip', true],
    ['noclip', false],
  ] as const) {
    const found = modelMeanVariance(diffusion, tensor('in.model_output'), batch, { clipDenoised })
    await expectClose(`out.${name}.p.mean`, found.mean)
    await expectClose(`out.${name}.p.variance`, found.variance)
    await expectClose(`out.${name}.p.log_variance`, found.logVariance)
    await expectClose(`out.${name}.p.pred_xstart`, found.x0)
  }
})

test('leaves nothing behind but its results', async () => {
  const xt = draws(shape, 'xt')
  const output = withV(xt, 0.2)
  const diffusion = gaussianDiffusion({ betas })
  for (const options of [{}, { clipDenoised: false }, { denoise }, { denoise, clipDenoised: false }]) {
    const run = () => dispose(modelMeanVariance(diffusion, output, { xt, timesteps }, options))
    expect(await buffersLeft(run)).toBe(0)
  }
})

test('does not hand out the memory of the model output as its own', async () => {
  const diffusion = gaussianDiffusion({ betas, meanType: 'x0', varianceType: 'fixedSmall' })
  const [xt, output] = [draws(shape, 'xt'), draws(shape, 'output')]
  dispose(modelMeanVariance(diffusion, output, { xt, timesteps }, { clipDenoised: false }))
  expect(await numbers(output)).toHaveLength(24)
})

test('says which output shape the variance type asks for', () => {
  const xt = draws(shape, 'xt')
  expect(() => modelMeanVariance(gaussianDiffusion({ betas }), xt, { xt, timesteps })).toThrow(
    new RangeError(
      'modelMeanVariance: with varianceType learnedRange and xt [2, 3, 2, 2] the model must return [2, 6, 2, 2] ' +
        '(got [2, 3, 2, 2])',
    ),
  )
  const fixed = gaussianDiffusion({ betas, varianceType: 'fixedLarge' })
  expect(() => modelMeanVariance(fixed, withV(xt, 0), { xt, timesteps })).toThrow(
    /modelMeanVariance: with varianceType fixedLarge .* must return \[2, 3, 2, 2\] \(got \[2, 6, 2, 2\]\)/,
  )
})
