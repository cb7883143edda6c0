import { denoiser, type DenoiserOptions, gaussianProcess } from '@dit/diffusion'
import { partOfPath, pathThrough, reversedPath, straightLevel } from '@dit/schedules'
import { add, affine, concat, full, reshape, slice, type Tensor } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { ancestral, ddim, euler, lastStep } from '../src/index.js'
import { readFixture } from './fixture.js'
import { half, predictorOfNormal, predictorOfPoint, twoStepsProcess } from './models.js'
import { buffersLeft, draws, expectValues, float, numbers } from '../../diffusion/test/tensors.js'

const shape = [2, 3, 2, 2]
const twoSteps = twoStepsProcess.path()
const ends = (
  xt: number,
  output: number,
  options: Partial<DenoiserOptions> = {},
  path = partOfPath(twoSteps, 0, 1),
) => {
  const denoise = twoStepsProcess.denoiser(() => float([output]), options)
  return lastStep(ddim(path, denoise, float([xt])))
}

test('steps along the noise it found, as worked out by hand', async () => {
  await expectValues(await ends(1, 0.9), [0.8 * ((1 - 0.8 * 0.9) / 0.6) + 0.6 * 0.9])
  await expectValues(await ends(1, 0.9, {}, partOfPath(twoSteps, 1)), [(1 - 0.6 * 0.9) / 0.8])
})

test('the noise follows from a clipped x0, or is the predicted one, as the denoiser says', async () => {
  // x0 = 0.9 / 0.6, clipped to 1
  await expectValues(await ends(0.9, 0, { clipRange: 1 }), [0.8 + 0.6 * ((0.9 - 0.6) / 0.8)])
  await expectValues(await ends(0.9, 0, { clipRange: 1, noiseFrom: 'prediction' }), [0.8])
})

test.each([
  ['a Gaussian process', gaussianProcess({ respacing: '20', varianceType: 'fixedSmall' }).path()],
  ['a straight path', pathThrough([1, 0.8, 0.5, 0.1, 0].map((t) => straightLevel(t, 10 * t)))],
])('is ancestral sampling with the small variance for eta 1, on %s', async (_, path) => {
  const xT = draws(shape, 'xT')
  const denoise = denoiser(half, { prediction: 'x0' })
  const expected = await numbers(await lastStep(ancestral(path, denoise, xT, { seed: 3 })))
  // `ancestral` adds a deviation of 1e-10 where the posterior has none.
  await expectValues(await lastStep(ddim(path, denoise, xT, { eta: 1, seed: 3 })), expected, 1e-9)
})

test('keeps the variance of normal data on a straight path, whatever eta', async () => {
  const variance = 0.25
  const path = pathThrough(Array.from({ length: 161 }, (_, i) => straightLevel(1 - i / 160, 1 - i / 160)))
  const denoise = denoiser((xt, [t]) => affine(xt, ((1 - t) * variance) / ((1 - t) ** 2 * variance + t ** 2)), {
    prediction: 'x0',
  })
  for (const eta of [0, 0.5, 1]) {
    const x = await numbers(await lastStep(ddim(path, denoise, draws([1, 1, 40, 40], 'xT'), { eta, seed: 1 })))
    const found = x.reduce((total, each) => total + each * each, 0) / x.length
    // 1,600 values: 3.5 % of variance; 160 steps: a few percent of bias.
    expect(found / variance, `eta ${eta}`).toBeGreaterThan(0.85)
    expect(found / variance, `eta ${eta}`).toBeLessThan(1.15)
  }
})

test("is Euler's step with eta 0, whatever the noise", async () => {
  const process = gaussianProcess({ respacing: 'ddim10', varianceType: 'fixedSmall' })
  const [path, denoise, xT] = [process.path(), process.denoiser(half), draws(shape, 'xT')]
  const plain = await numbers(await lastStep(euler(path, denoise, xT)))
  for (const options of [{}, { seed: 3 }, { noise: () => full(shape, 7) }]) {
    expect(await numbers(await lastStep(ddim(path, denoise, xT, options)))).toEqual(plain)
  }
})

test.each([0, 0.5, 1])('ends in x0 exactly when the model knows it, for eta %d', async (eta) => {
  const process = gaussianProcess({ respacing: 'ddim20', varianceType: 'fixedSmall' })
  const x0 = draws(shape, 'x0')
  const denoise = process.denoiser(predictorOfPoint(process.diffusion, x0))
  const found = await lastStep(ddim(process.path(), denoise, draws(shape, 'xT'), { eta, seed: 0 }))
  await expectValues(found, await numbers(x0), 1e-11)
})

test('follows the flow of normal data with an error of first order in the number of steps', async () => {
  const variance = 0.25
  const errors: number[] = []
  for (const respacing of ['20', '40', '80', '160']) {
    const process = gaussianProcess({ schedule: 'squaredcos_cap_v2', respacing, varianceType: 'fixedSmall' })
    const denoise = process.denoiser(predictorOfNormal(process.diffusion, variance))
    const [value] = await numbers(await lastStep(ddim(process.path(), denoise, float([1]))))
    // the flow keeps the number of standard deviations
    const last = process.diffusion.tables.alphaBar.at(-1)!
    errors.push(Math.abs(value - Math.sqrt(variance / (last * variance + 1 - last))))
  }
  for (const i of [1, 2, 3]) {
    const ratio = errors[i - 1] / errors[i]
    expect(ratio).toBeGreaterThan(1.8)
    expect(ratio).toBeLessThan(2.2)
  }
})

test('heeds the condition of the denoiser', async () => {
  // noise 0.5 - 0.8 * 0.25 = 0.3
  const found = await ends(0.4, 0.5, { conditionGradient: () => float([0.25]) })
  await expectValues(found, [0.8 * ((0.4 - 0.8 * 0.3) / 0.6) + 0.6 * 0.3])
})

describe('from data to noise, over the reversed path', () => {
  const up = reversedPath(twoSteps)

  test('steps up along the noise it found, and ends in the noise itself', async () => {
    await expectValues(await ends(1, 0.9, {}, partOfPath(up, 0, 1)), [0.6 * ((1 - 0.6 * 0.9) / 0.8) + 0.8 * 0.9])
    await expectValues(await ends(1, 0.9, {}, partOfPath(up, 1)), [0.9])
  })

  test('is undone by the way down, the better the more steps there are', async () => {
    const x0 = [0.5, -0.3, 0.1]
    const errors: number[] = []
    for (const respacing of ['20', '80', '320']) {
      const process = gaussianProcess({ respacing, varianceType: 'fixedSmall' })
      const denoise = process.denoiser(predictorOfNormal(process.diffusion, 0.25))
      const noise = await lastStep(ddim(reversedPath(process.path()), denoise, float(x0)))
      const back = await numbers(await lastStep(ddim(process.path(), denoise, noise)))
      errors.push(Math.max(...back.map((value, i) => Math.abs(value - x0[i]))))
    }
    expect(errors[1]).toBeLessThan(errors[0] / 2)
    expect(errors[2]).toBeLessThan(errors[1] / 2)
    expect(errors[2]).toBeLessThan(0.01)
  })

  test('draws no noise', () => {
    const run = () => ddim(up, twoStepsProcess.denoiser(half), float([1]), { eta: 0.1, seed: 0 })
    expect(run).toThrow('ddim: fresh noise needs a path from noise to data (step 0 leads to more noise)')
  })
})

/** One step for each sample, at a timestep of its own. */
async function expectSingleSteps(name: string, isDown: boolean, clipDenoised: boolean): Promise<void> {
  const { config, tensor, integers, expectClose } = readFixture('steps')
  const process = gaussianProcess({ respacing: config.respacing })
  const steps = isDown ? process.path().steps.toReversed() : reversedPath(process.path()).steps
  const of = (key: string, i: number) => slice(tensor(key), 0, i, 1)
  const samples = Array.from(integers('in.t'), (timestep, i) => {
    const denoise = process.denoiser(() => of('in.model_output', i), clipDenoised ? { clipRange: 1 } : {})
    const options = isDown ? { eta: config.eta, noise: () => of('in.step_noise', i) } : {}
    return lastStep(ddim({ steps: [steps[timestep]], startScale: 1 }, denoise, of('out.x_t', i), options))
  })
  await expectClose(name, concat(await Promise.all(samples), 0))
}

test('agrees with the reference implementation on single steps, down and up', async () => {
  await expectSingleSteps('out.clip.ddim_sample', true, true)
  await expectSingleSteps('out.noclip.ddim_sample', true, false)
  await expectSingleSteps('out.clip.ddim_reverse_sample', false, true)
  await expectSingleSteps('out.noclip.ddim_reverse_sample', false, false)
})

test.each(['ddim10-eta05', 'ddim-reverse10'])(
  'agrees with the reference implementation on the chain %s',
  async (name) => {
    const { config, tensor, integers, expectClose } = readFixture(name)
    const process = gaussianProcess({ respacing: config.respacing })
    let calls = 0
    const predict = (_: Tensor, original: ArrayLike<number>) => {
      expect(original).toEqual(integers('out.model_t', calls))
      return tensor('out.model_output', calls++)
    }
    const denoise = process.denoiser(predict, config.clipDenoised ? { clipRange: 1 } : {})
    const steps =
      name === 'ddim-reverse10'
        ? ddim(reversedPath(process.path()), denoise, tensor('in.x_init'))
        : ddim(process.path(), denoise, tensor('in.x_init'), {
            noise: (index) => tensor('in.noise', index),
            eta: config.eta,
          })
    for await (const { index, xt, x0 } of steps) {
      await expectClose('out.sample', xt, index)
      await expectClose('out.pred_xstart', x0, index)
    }
    expect(calls).toBe(10)
  },
)

test('takes a single step where the process has one', async () => {
  const process = gaussianProcess({ betas: [0.75], meanType: 'x0', varianceType: 'fixedSmall' })
  const found = await lastStep(ddim(process.path(), process.denoiser(half), float([1, -1]), { eta: 1, seed: 0 }))
  await expectValues(found, [0.5, -0.5])
})

test('leaves nothing behind but its results', async () => {
  const xT = draws(shape, 'xT')
  const process = gaussianProcess({ respacing: 'ddim4' })
  const predict = (x: Tensor) => concat([add(x, reshape(x, x.shape)), full(x.shape, 0.2)], 1)
  const denoise = process.denoiser(predict, { clipRange: 1, conditionGradient: (x) => affine(x, 0.5) })
  const run = async () => (await lastStep(ddim(process.path(), denoise, xT, { eta: 0.5, seed: 0 }))).dispose()
  expect(await buffersLeft(run)).toBe(0)
})

test('refuses an eta out of range, to do without noise it needs, and a start that is no batch', () => {
  const denoise = twoStepsProcess.denoiser(half)
  const run =
    (options: object, xT = float([1])) =>
    () =>
      ddim(twoSteps, denoise, xT, options)
  expect(run({ eta: 1.1, seed: 0 })).toThrow(new RangeError('ddim: eta must be in [0, 1] (got 1.1)'))
  expect(run({ eta: NaN, seed: 0 })).toThrow(new RangeError('ddim: eta must be in [0, 1] (got NaN)'))
  expect(run({ eta: 0.5 })).toThrow(new TypeError('ddim: a seed or a noise function is needed (got neither)'))
  expect(run({}, float([1], [1]))).toThrow(new RangeError('ddim: xT must be [B, C, ...] (got [1])'))
})
