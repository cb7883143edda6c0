import { gaussianDiffusion } from '@dit/diffusion'
import { affine, concat, dispose, full, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { ddim, ddimStep, ddpmStep, lastStep } from '../src/index.js'
import { readFixture } from './fixture.js'
import { half, predictorOfNormal, predictorOfPoint, twoSteps } from './models.js'
import { buffersLeft, draws, expectValues, float, numbers } from '../../diffusion/test/tensors.js'

const shape = [2, 3, 2, 2]

test('steps along the noise it found, as worked out by hand', async () => {
  const batch = { xt: float([1]), timesteps: Int32Array.of(1) }
  const { xt, x0 } = ddimStep(twoSteps, () => float([0.9]), batch)
  await expectValues(x0, [(1 - 0.8 * 0.9) / 0.6])
  await expectValues(xt, [0.8 * ((1 - 0.8 * 0.9) / 0.6) + 0.6 * 0.9])
  const last = ddimStep(twoSteps, () => float([0.9]), { ...batch, timesteps: Int32Array.of(0) })
  await expectValues(last.xt, [(1 - 0.6 * 0.9) / 0.8])
})

test('works out the noise anew from a clipped x0', async () => {
  const { xt, x0 } = ddimStep(twoSteps, () => float([0]), { xt: float([0.9]), timesteps: Int32Array.of(1) })
  await expectValues(x0, [1]) // 0.9 / 0.6, clipped
  await expectValues(xt, [0.8 + 0.6 * ((0.9 - 0.6) / 0.8)])
})

test('is ancestral sampling with the small variance for eta 1', async () => {
  const diffusion = gaussianDiffusion({ respacing: '20', varianceType: 'fixedSmall' })
  const [xt, noise] = [draws(shape, 'xt'), draws(shape, 'noise')]
  for (const timesteps of [Int32Array.of(0, 1), Int32Array.of(10, 19)]) {
    const batch = { xt, noise, timesteps }
    // the noise of t = 0 comes out of a difference divided by 0.01
    await expectValues(
      ddimStep(diffusion, half, batch, { eta: 1 }).xt,
      await numbers(ddpmStep(diffusion, half, batch).xt),
      1e-11,
    )
  }
})

test('is the same every time, whatever the noise, for eta 0', async () => {
  const diffusion = gaussianDiffusion({ respacing: 'ddim10', varianceType: 'fixedSmall' })
  const xT = draws(shape, 'xT')
  const plain = await numbers(await lastStep(ddim(diffusion, half, xT)))
  for (const options of [{ seed: 3 }, { noise: () => full(shape, 7) }]) {
    expect(await numbers(await lastStep(ddim(diffusion, half, xT, options)))).toEqual(plain)
  }
})

test.each([0, 0.5, 1])('ends in x0 exactly when the model knows it, for eta %d', async (eta) => {
  const diffusion = gaussianDiffusion({ respacing: 'ddim20' })
  const fixed = gaussianDiffusion({ respacing: 'ddim20', varianceType: 'fixedSmall' })
  const x0 = draws(shape, 'x0')
  const options = { eta, seed: 0, clipDenoised: false }
  const predict = predictorOfPoint(diffusion, x0)
  await expectValues(await lastStep(ddim(fixed, predict, draws(shape, 'xT'), options)), await numbers(x0), 1e-11)
})

test('follows the flow of normal data with an error of first order in the number of steps', async () => {
  const variance = 0.25
  const errors: number[] = []
  for (const respacing of ['20', '40', '80', '160']) {
    const diffusion = gaussianDiffusion({ schedule: 'squaredcos_cap_v2', respacing, varianceType: 'fixedSmall' })
    const predict = predictorOfNormal(diffusion, variance)
    const end = await lastStep(ddim(diffusion, predict, float([1]), { clipDenoised: false }))
    const [value] = await numbers(end)
    // the flow keeps the number of standard deviations
    const { alphaBar } = diffusion.tables
    const last = alphaBar.at(-1)!
    errors.push(Math.abs(value - Math.sqrt(variance / (last * variance + 1 - last))))
  }
  for (const i of [1, 2, 3]) {
    const ratio = errors[i - 1] / errors[i]
    expect(ratio).toBeGreaterThan(1.8)
    expect(ratio).toBeLessThan(2.2)
  }
})

test('corrects noise and x0 by the condition, which sees original timesteps', async () => {
  const seen: Int32Array[] = []
  const { xt, x0 } = ddimStep(
    twoSteps,
    () => float([0.5]),
    { xt: float([0.4]), timesteps: Int32Array.of(1) },
    {
      conditionGradient(_, original) {
        seen.push(original)
        return float([0.25])
      },
    },
  )
  expect(seen).toEqual([Int32Array.of(1)])
  // noise 0.5 - 0.8 * 0.25 = 0.3
  await expectValues(x0, [(0.4 - 0.8 * 0.3) / 0.6])
  await expectValues(xt, [0.8 * ((0.4 - 0.8 * 0.3) / 0.6) + 0.6 * 0.3])
})

test('agrees with the reference implementation on single steps', async () => {
  const { config, tensor, integers, expectClose } = readFixture('steps')
  const batch = { xt: tensor('out.x_t'), timesteps: integers('in.t'), noise: tensor('in.step_noise') }
  const diffusion = gaussianDiffusion({ respacing: config.respacing })
  const predict = () => tensor('in.model_output')
  for (const [name, clipDenoised] of [
    ['clip', true],
    ['noclip', false],
  ] as const) {
    const { xt } = ddimStep(diffusion, predict, batch, { clipDenoised, eta: config.eta })
    await expectClose(`out.${name}.ddim_sample`, xt)
  }
})

test('agrees with the reference implementation on a chain', async () => {
  const { config, tensor, integers, expectClose } = readFixture('ddim10-eta05')
  let calls = 0
  const steps = ddim(
    gaussianDiffusion({ respacing: config.respacing }),
    (_, original) => {
      expect(original).toEqual(integers('out.model_t', calls))
      return tensor('out.model_output', calls++)
    },
    tensor('in.x_init'),
    { noise: (index) => tensor('in.noise', index), clipDenoised: config.clipDenoised, eta: config.eta },
  )
  for await (const { index, xt, x0 } of steps) {
    await expectClose('out.sample', xt, index)
    await expectClose('out.pred_xstart', x0, index)
  }
  expect(calls).toBe(10)
})

test('takes a single step where the process has one', async () => {
  const diffusion = gaussianDiffusion({ betas: [0.75], meanType: 'x0', varianceType: 'fixedSmall' })
  await expectValues(await lastStep(ddim(diffusion, half, float([1, -1]), { eta: 1, seed: 0 })), [0.5, -0.5])
})

test('leaves nothing behind but its results', async () => {
  const [xt, noise] = [draws(shape, 'xt'), draws(shape, 'noise')]
  const diffusion = gaussianDiffusion({ respacing: 'ddim4' })
  const predict = (x: Tensor) => concat([x, full(x.shape, 0.2)], 1)
  const options = { eta: 0.5, conditionGradient: (x: Tensor) => affine(x, 0.5), clipDenoised: false }
  const step = () => dispose(ddimStep(diffusion, predict, { xt, noise, timesteps: Int32Array.of(0, 3) }, options))
  expect(await buffersLeft(step)).toBe(0)
  const chain = async () => (await lastStep(ddim(diffusion, predict, xt, { ...options, seed: 0 }))).dispose()
  expect(await buffersLeft(chain)).toBe(0)
})

test('refuses an eta out of range, and to do without noise it needs', () => {
  const xt = float([1])
  const timesteps = Int32Array.of(1)
  expect(() => ddim(twoSteps, half, xt, { eta: 1.1, seed: 0 })).toThrow(
    new RangeError('ddim: eta must be in [0, 1] (got 1.1)'),
  )
  expect(() => ddimStep(twoSteps, half, { xt, timesteps, noise: xt }, { eta: NaN })).toThrow(
    new RangeError('ddimStep: eta must be in [0, 1] (got NaN)'),
  )
  expect(() => ddimStep(twoSteps, half, { xt, timesteps }, { eta: 0.5 })).toThrow(
    new TypeError('ddimStep: noise is needed where eta is above 0 (eta is 0.5)'),
  )
  expect(() => ddimStep(twoSteps, half, { xt, timesteps: Int32Array.of(2) })).toThrow(
    new RangeError('originalTimesteps: timesteps must be in 0 .. 1 (got 2)'),
  )
})
