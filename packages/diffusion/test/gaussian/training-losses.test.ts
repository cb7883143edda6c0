import { affine, concat, dispose, full, mean, mul, square, type Tensor, valueAndGrad } from '@dit/tensor'
import { expect, test } from 'vitest'
import {
  addNoise,
  gaussianDiffusion,
  type GaussianDiffusionOptions,
  type LossType,
  posterior,
  trainingLosses,
} from '../../src/index.js'
import { type Fixture, readFixture } from '../fixture.js'
import { buffersLeft, draws, expectValues, float, numbers } from '../tensors.js'

const shape = [2, 2, 2, 2]
const betas = [0.36, 0.4375]
const batch = { x0: draws(shape, 'x0'), noise: draws(shape, 'noise'), timesteps: Int32Array.of(0, 1) }
const perSampleMean = async (x: Tensor) => numbers(mean(x, [1, 2, 3]))

test('compares the prediction with what the mean type stands for', async () => {
  for (const meanType of ['epsilon', 'x0', 'previousX'] as const) {
    const diffusion = gaussianDiffusion({ betas, meanType, varianceType: 'fixedSmall' })
    const xt = addNoise(diffusion, batch.x0, batch.timesteps, batch.noise)
    const previous = posterior(diffusion, { x0: batch.x0, xt, timesteps: batch.timesteps }).mean
    const target = { epsilon: batch.noise, x0: batch.x0, previousX: previous }[meanType]
    const { loss, mse, vb } = trainingLosses(diffusion, (xt) => affine(xt, 0), batch)
    await expectValues(mse!, await perSampleMean(square(target)))
    await expectValues(loss, await numbers(mse!))
    expect(vb).toBeUndefined()
    await expectValues(trainingLosses(diffusion, () => target, batch).loss, [0, 0])
  }
})

test('shows the model noisy samples and original timesteps', async () => {
  const diffusion = gaussianDiffusion({ respacing: '7', varianceType: 'fixedSmall' })
  const timesteps = Int32Array.of(6, 1)
  const expected = await numbers(addNoise(diffusion, batch.x0, timesteps, batch.noise))
  let seen: Promise<number[]> | undefined
  trainingLosses(
    diffusion,
    (xt, original) => {
      expect(original).toEqual(Int32Array.of(999, 166))
      seen = numbers(xt)
      return batch.noise
    },
    { ...batch, timesteps },
  )
  expect(await seen).toEqual(expected)
})

test('adds the variational term, scaled by the number of steps where asked to', async () => {
  const [mse, rescaledMse, kl, rescaledKl] = (['mse', 'rescaledMse', 'kl', 'rescaledKl'] as const).map((lossType) => {
    const diffusion = gaussianDiffusion({ respacing: '20', lossType })
    return trainingLosses(diffusion, outputOf(0.3), { ...batch, timesteps: Int32Array.of(3, 0) })
  })
  const [error, term] = [await numbers(mse.mse!), await numbers(mse.vb!)]
  await expectValues(mse.loss, [error[0] + term[0], error[1] + term[1]])
  await expectValues(rescaledMse.vb!, [term[0] * 0.02, term[1] * 0.02])
  await expectValues(rescaledMse.loss, [error[0] + term[0] * 0.02, error[1] + term[1] * 0.02])
  await expectValues(kl.loss, term)
  await expectValues(rescaledKl.loss, [term[0] * 20, term[1] * 20])
  expect(Object.keys(kl)).toEqual(['loss'])
})

test('trains the mean by the squared error alone, the variance by the variational term alone', async () => {
  const output = draws([2, 4, 2, 2], 'output')
  const gradient = async (part: 'mse' | 'vb' | 'loss', lossType: LossType = 'mse') => {
    const diffusion = gaussianDiffusion({ betas, lossType })
    const { gradients } = valueAndGrad({ output }, (params) => ({
      loss: mean(trainingLosses(diffusion, () => params.output, batch)[part]!),
    }))
    return numbers(gradients.output)
  }
  const [ofMse, ofVb, ofLoss, ofKl] = [
    await gradient('mse'),
    await gradient('vb'),
    await gradient('loss'),
    await gradient('loss', 'kl'),
  ]
  for (const i of ofLoss.keys()) {
    const isMean = i % 16 < 8
    expect(ofMse[i] !== 0).toBe(isMean)
    expect(ofVb[i] !== 0).toBe(!isMean)
    expect(ofLoss[i]).toBe(isMean ? ofMse[i] : ofVb[i])
    expect(ofKl[i]).not.toBe(0)
  }
})

test.each<GaussianDiffusionOptions>([
  { lossType: 'mse', varianceType: 'fixedLarge', meanType: 'previousX' },
  { lossType: 'rescaledMse', varianceType: 'fixedSmall', meanType: 'x0' },
  { lossType: 'kl' },
  { lossType: 'kl', varianceType: 'fixedLarge' },
  { lossType: 'rescaledKl', meanType: 'x0' },
])('has the gradients of central differences with %o', async (options) => {
  const diffusion = gaussianDiffusion({ betas, ...options })
  const isLearned = options.varianceType === undefined
  const output = await numbers(draws([2, isLearned ? 4 : 2, 2, 2], 'output'))
  const lossOf = (output: Tensor) => mean(trainingLosses(diffusion, () => output, batch).loss)
  const at = (values: number[]) => float(values, [2, isLearned ? 4 : 2, 2, 2])
  const { gradients } = valueAndGrad({ output: at(output) }, (params) => ({ loss: lossOf(params.output) }))
  const gradient = await numbers(gradients.output)
  const step = 1e-5
  for (const i of output.keys()) {
    const [up] = await numbers(lossOf(at(output.with(i, output[i] + step))))
    const [down] = await numbers(lossOf(at(output.with(i, output[i] - step))))
    // step^2 times a third derivative of order 1, and rounding of 1e-16 over the step
    expect(Math.abs(gradient[i] - (up - down) / (2 * step)), `output ${i}`).toBeLessThan(1e-7)
  }
})

test('keeps gradients finite for a model far off', async () => {
  const x0 = float([-1, 1, 0, 0.3, -0.2, 0.9, 1, -1], [1, 2, 2, 2])
  const noise = draws([1, 2, 2, 2], 'noise')
  for (const size of [1, 100, 1e4]) {
    const params = { prediction: full([1, 2, 2, 2], size), v: full([1, 2, 2, 2], -2) }
    for (const lossType of ['mse', 'kl'] as const) {
      const { gradients } = valueAndGrad(params, ({ prediction, v }) => ({
        loss: mean(
          trainingLosses(gaussianDiffusion({ lossType }), () => concat([prediction, v], 1), {
            x0,
            noise,
            timesteps: Int32Array.of(0),
          }).loss,
        ),
      }))
      const values = [...(await numbers(gradients.prediction)), ...(await numbers(gradients.v))]
      expect(values.every(Number.isFinite)).toBe(true)
    }
  }
})

test('agrees with the reference implementation with a learned variance', async () => {
  const fixture = readFixture('learned-sigma-losses')
  await expectVariant(fixture, 'respaced50', { respacing: '50' })
  await expectVariant(fixture, 'xstart', { meanType: 'x0' })
  await expectVariant(fixture, 'previous_x', { meanType: 'previousX' })
  await expectVariant(fixture, 'rescaled_kl20', { respacing: '20', lossType: 'rescaledKl' })
})

test('agrees with the reference implementation with a fixed variance', async () => {
  const fixture = readFixture('fixed-sigma-losses')
  await expectVariant(fixture, 'large', { varianceType: 'fixedLarge' })
  await expectVariant(fixture, 'kl_small', { varianceType: 'fixedSmall', lossType: 'kl' })
})

test('leaves nothing behind but its results, inside and outside of a tape', async () => {
  const weights = { w: float([0.7]) }
  for (const lossType of ['mse', 'kl'] as const) {
    const diffusion = gaussianDiffusion({ betas, lossType })
    expect(await buffersLeft(() => dispose(trainingLosses(diffusion, outputOf(0.3), batch)))).toBe(0)
    const differentiate = () =>
      valueAndGrad(weights, ({ w }) => {
        const predict = (xt: Tensor) => concat([mul(xt, w), mul(xt, w)], 1)
        return { loss: mean(trainingLosses(diffusion, predict, batch).loss) }
      })
    expect(await buffersLeft(() => dispose({ ...differentiate() }))).toBe(0)
  }
})

test('hands out a loss that survives the squared error it equals', async () => {
  const diffusion = gaussianDiffusion({ betas, varianceType: 'fixedSmall' })
  const { loss, mse } = trainingLosses(diffusion, () => batch.noise, batch)
  mse!.dispose()
  await expectValues(loss, [0, 0])
})

test('multiplies the squared error of each sample by its weight, and nothing else', async () => {
  // alphaBar 0.64 and 0.36: ratios 16 / 9 and 9 / 16.
  const weights = {
    epsilon: [9 / 16, 1],
    x0: [1, 9 / 16],
  }
  for (const meanType of ['epsilon', 'x0'] as const) {
    const plain = trainingLosses(gaussianDiffusion({ betas, meanType }), outputOf(0.3), batch)
    const diffusion = gaussianDiffusion({ betas, meanType, lossWeight: { minSnr: 1 } })
    const { loss, mse, vb } = trainingLosses(diffusion, outputOf(0.3), batch)
    const [error, term] = [await numbers(plain.mse!), await numbers(plain.vb!)]
    const expected = error.map((value, i) => value * weights[meanType][i])
    await expectValues(mse!, expected)
    expect(await numbers(vb!)).toEqual(term)
    await expectValues(
      loss,
      expected.map((value, i) => value + term[i]),
    )
  }
})

test('leaves no buffers behind with a weight', async () => {
  const diffusion = gaussianDiffusion({ betas, varianceType: 'fixedSmall', lossWeight: { p2: {} } })
  expect(await buffersLeft(() => dispose(trainingLosses(diffusion, (xt) => xt, batch)))).toBe(0)
})

test('refuses a model without the variance channels', () => {
  expect(() => trainingLosses(gaussianDiffusion({ betas }), (xt) => xt, batch)).toThrow(
    /trainingLosses: with varianceType learnedRange and xt \[2, 2, 2, 2\] the model must return \[2, 4, 2, 2\]/,
  )
  expect(() =>
    trainingLosses(gaussianDiffusion({ betas }), (xt) => xt, { ...batch, timesteps: Int32Array.of(0, 2) }),
  ).toThrow(/trainingLosses: timesteps must be in 0 \.\. 1 \(got 2\)/)
})

/** A model with a learned variance that predicts a part of xt as noise. */
function outputOf(share: number) {
  return (xt: Tensor) => concat([affine(xt, share), full(xt.shape, 0.2)], 1)
}

async function expectVariant(
  { names, tensor, timesteps, expectClose }: Fixture,
  variant: string,
  options: GaussianDiffusionOptions,
): Promise<void> {
  const diffusion = gaussianDiffusion(options)
  const inputs = { x0: tensor('in.x_start'), noise: tensor('in.noise'), timesteps: timesteps(`in.${variant}.t`) }
  const losses = trainingLosses(
    diffusion,
    (_, original) => {
      expect(original).toEqual(timesteps(`out.${variant}.model_t`))
      return tensor(`out.${variant}.model_output`)
    },
    inputs,
  )
  for (const part of ['loss', 'mse', 'vb'] as const) {
    const name = `out.${variant}.${part}`
    expect(losses[part] !== undefined).toBe(names.includes(name))
    if (losses[part] !== undefined) await expectClose(name, losses[part])
  }
}
