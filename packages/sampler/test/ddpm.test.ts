import { gaussianDiffusion, posterior } from '@dit/diffusion'
import { affine, concat, dispose, full, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { ddpm, ddpmStep, lastStep } from '../src/index.js'
import { readFixture } from './fixture.js'
import { half, predictorOfPoint, twoSteps } from './models.js'
import { buffersLeft, draws, expectValues, float, numbers } from '../../diffusion/test/tensors.js'

const shape = [2, 3, 2, 2]

test('adds half a log variance of noise to the mean, but none at t = 0', async () => {
  const diffusion = gaussianDiffusion({ betas: [0.36, 0.4375], meanType: 'x0', varianceType: 'fixedLarge' })
  const batch = { xt: float([1, 1], [2, 1, 1, 1]), timesteps: Int32Array.of(1, 0), noise: float([2, 2], [2, 1, 1, 1]) }
  const { xt, x0 } = ddpmStep(diffusion, () => float([0.5, 0.5], [2, 1, 1, 1]), batch)
  await expectValues(xt, [0.546875 * 0.5 + 0.421875 + 2 * Math.sqrt(0.4375), 0.5])
  await expectValues(x0, [0.5, 0.5])
})

test('draws from the posterior of x0 with a perfect model', async () => {
  const [x0, xt, noise] = [draws(shape, 'x0'), draws(shape, 'xt'), draws(shape, 'noise')]
  const timesteps = Int32Array.of(1, 1)
  const step = ddpmStep(twoSteps, predictorOfPoint(twoSteps, x0), { xt, timesteps, noise }, { clipDenoised: false })
  const { mean } = posterior(twoSteps, { x0, xt, timesteps })
  const [means, deviations] = [await numbers(mean), await numbers(noise)]
  await expectValues(
    step.xt,
    means.map((value, i) => value + Math.sqrt(0.24609375) * deviations[i]),
  )
})

test('ends in x0 exactly when the model knows it, whatever the noise', async () => {
  const diffusion = gaussianDiffusion({ respacing: '20', varianceType: 'fixedLarge' })
  const x0 = draws(shape, 'x0')
  const end = await lastStep(
    ddpm(diffusion, predictorOfPoint(diffusion, x0), draws(shape, 'xT'), { seed: 0, clipDenoised: false }),
  )
  // 157 times the rounding of xT enters x0 at the first step and dies out
  await expectValues(end, await numbers(x0), 1e-11)
})

test('clips the estimate of x0 by default, after the denoise hook', async () => {
  const diffusion = gaussianDiffusion({ betas: [0.36, 0.4375], meanType: 'x0', varianceType: 'fixedSmall' })
  const batch = { xt: float([0, 0]), timesteps: Int32Array.of(0), noise: float([0, 0]) }
  const output = () => float([-3, 1.2])
  await expectValues(ddpmStep(diffusion, output, batch).xt, [-1, 1])
  await expectValues(ddpmStep(diffusion, output, batch, { clipDenoised: false }).xt, [-3, 1.2])
  const denoise = (x0: Tensor) => affine(x0, 0.5)
  await expectValues(ddpmStep(diffusion, output, batch, { denoise }).xt, [-1, 0.6])
})

test('shifts the mean by variance times the condition, which sees original timesteps', async () => {
  const diffusion = gaussianDiffusion({ respacing: '3', varianceType: 'fixedLarge' })
  const [xt, noise] = [draws(shape, 'xt'), draws(shape, 'noise')]
  const batch = { xt, noise, timesteps: Int32Array.of(2, 1) }
  const plain = ddpmStep(diffusion, half, batch)
  const shifted = ddpmStep(diffusion, half, batch, {
    conditionGradient(seen, original) {
      expect(seen).toBe(xt)
      expect(original).toEqual(Int32Array.of(999, 500))
      return full(shape, 3)
    },
  })
  const { betas } = diffusion.tables
  await expectValues(
    shifted.xt,
    (await numbers(plain.xt)).map((value, i) => value + 3 * betas[i < 12 ? 2 : 1]),
  )
  await expectValues(shifted.x0, await numbers(plain.x0))
})

test('agrees with the reference implementation on single steps', async () => {
  const { config, tensor, integers, expectClose } = readFixture('steps')
  const batch = { xt: tensor('out.x_t'), timesteps: integers('in.t'), noise: tensor('in.step_noise') }
  const diffusion = gaussianDiffusion({ respacing: config.respacing })
  const predict = () => tensor('in.model_output')
  await expectClose('out.clip.p_sample', ddpmStep(diffusion, predict, batch).xt)
  await expectClose('out.noclip.p_sample', ddpmStep(diffusion, predict, batch, { clipDenoised: false }).xt)
})

test('agrees with the reference implementation on a chain', async () => {
  const { config, tensor, integers, expectClose } = readFixture('ddpm7-plain')
  let calls = 0
  const steps = ddpm(
    gaussianDiffusion({ respacing: config.respacing }),
    (_, original) => {
      expect(original).toEqual(integers('out.model_t', calls))
      return tensor('out.model_output', calls++)
    },
    tensor('in.x_init'),
    { noise: (index) => tensor('in.noise', index), clipDenoised: config.clipDenoised },
  )
  for await (const { index, xt, x0 } of steps) {
    await expectClose('out.sample', xt, index)
    await expectClose('out.pred_xstart', x0, index)
  }
  expect(calls).toBe(7)
})

test('takes a single step where the process has one', async () => {
  const diffusion = gaussianDiffusion({ betas: [0.75], meanType: 'x0', varianceType: 'fixedSmall' })
  await expectValues(await lastStep(ddpm(diffusion, half, float([1, -1]), { seed: 0 })), [0.5, -0.5])
})

test('leaves nothing behind but its results', async () => {
  const [xt, noise] = [draws(shape, 'xt'), draws(shape, 'noise')]
  const diffusion = gaussianDiffusion({ respacing: '4' })
  const predict = (x: Tensor) => concat([x, full(x.shape, 0.2)], 1)
  const conditionGradient = (x: Tensor) => affine(x, 0.5)
  const step = () =>
    dispose(ddpmStep(diffusion, predict, { xt, noise, timesteps: Int32Array.of(0, 3) }, { conditionGradient }))
  expect(await buffersLeft(step)).toBe(0)
  const chain = async () => (await lastStep(ddpm(diffusion, predict, xt, { seed: 0, conditionGradient }))).dispose()
  expect(await buffersLeft(chain)).toBe(0)
})

test('refuses a start that is no batch', () => {
  expect(() => ddpm(twoSteps, half, float([1], [1]), { seed: 0 })).toThrow(
    new RangeError('ddpm: xT must be [B, C, ...] (got [1])'),
  )
})

test('refuses a gradient of another shape', () => {
  const [xt, noise] = [draws(shape, 'xt'), draws(shape, 'noise')]
  const diffusion = gaussianDiffusion({ betas: [0.5, 0.5], meanType: 'x0', varianceType: 'fixedSmall' })
  const conditionGradient = () => float([1])
  const timesteps = new Int32Array(shape[0])
  expect(() => ddpmStep(diffusion, half, { xt, noise, timesteps }, { conditionGradient })).toThrow(
    `ddpmStep: conditionGradient must return the shape of xt (got [1, 1, 1, 1] and [${shape.join(', ')}])`,
  )
})
