import { sum, valueAndGrad } from '@dit/tensor'
import { expect, test } from 'vitest'
import { discretisedGaussianLogLikelihood } from '../../src/index.js'
import { buffersLeft, expectValues, float, numbers } from '../tensors.js'

const levels = Float64Array.from({ length: 256 }, (_, level) => level / 127.5 - 1)
const cdf = (z: number) => 0.5 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z ** 3)))

test.each([
  [0, 0.3],
  [0.4, 0.01],
  [-0.98, 0.2],
  [1.3, 0.5],
])('sums to 1 over the 256 levels, for mean %d and scale %d', async (mean, scale) => {
  const likelihood = discretisedGaussianLogLikelihood(float(levels), float([mean]), float([Math.log(scale)]))
  const total = (await numbers(likelihood)).map(Math.exp).reduce((a, b) => a + b, 0)
  // up to 256 floors of 1e-12 are added to a telescoping sum
  expect(total).toBeCloseTo(1, 9)
})

test('is the difference of the CDF at the ends of the bin, open at both edges', async () => {
  const [x, mean, scale] = [[0.2, 0.5, -1, 1, 0.2], [0.1, 0.6, -0.9, 0.95, 0.2], 0.05]
  const at = (i: number, side: number) => cdf((x[i] - mean[i] + side / 255) / scale)
  await expectValues(
    discretisedGaussianLogLikelihood(float(x), float(mean), float([Math.log(scale)])),
    [at(0, 1) - at(0, -1), at(1, 1) - at(1, -1), at(2, 1), 1 - at(3, -1), at(4, 1) - at(4, -1)].map(Math.log),
  )
})

test('is the same for the mirror image', async () => {
  const [x, mean] = [
    [0.2, -0.5, -1, 1, 0.9],
    [0.3, -0.6, 0.2, 0.4, 0.8],
  ]
  const scale = float([Math.log(0.2)])
  const one = discretisedGaussianLogLikelihood(float(x), float(mean), scale)
  const [mirroredX, mirroredMean] = [x, mean].map((values) => float(values.map((value) => -value)))
  await expectValues(discretisedGaussianLogLikelihood(mirroredX, mirroredMean, scale), await numbers(one))
})

test('is floored at 1e-12 far from the mean, with a gradient of 0 there', async () => {
  const x = float([-1, 1, 0, 0.5, 0])
  const params = { mean: float([1, -1, 0.9, 1e6, -1e30]), logScale: float([-4, -4, -4, -4, -4]) }
  const { loss, gradients } = valueAndGrad(params, ({ mean, logScale }) => ({
    loss: sum(discretisedGaussianLogLikelihood(x, mean, logScale)),
  }))
  await expectValues(loss, [5 * Math.log(1e-12)])
  expect((await numbers(gradients.mean)).every((value) => value === 0)).toBe(true)
  expect((await numbers(gradients.logScale)).every((value) => value === 0)).toBe(true)
})

test('has the gradients of central differences', async () => {
  const x = [0.2, 0.5, -1, 1, -0.3, 0.996]
  const params = { mean: [0.1, 0.7, -0.9, 0.95, -0.3, 0.5], logScale: [-2, -1.5, -2.5, -1, 0.5, -1] }
  const value = async (mean: number[], logScale: number[]) => {
    const [result] = await numbers(sum(discretisedGaussianLogLikelihood(float(x), float(mean), float(logScale))))
    return result
  }
  const { gradients } = valueAndGrad(
    { mean: float(params.mean), logScale: float(params.logScale) },
    ({ mean, logScale }) => ({ loss: sum(discretisedGaussianLogLikelihood(float(x), mean, logScale)) }),
  )
  const step = 1e-5
  for (const name of ['mean', 'logScale'] as const) {
    const gradient = await numbers(gradients[name])
    for (const i of x.keys()) {
      const moved = (by: number) => ({ ...params, [name]: params[name].with(i, params[name][i] + by) })
      const [up, down] = [moved(step), moved(-step)]
      const slope = ((await value(up.mean, up.logScale)) - (await value(down.mean, down.logScale))) / (2 * step)
      // the error is step^2 times a third derivative of a few hundred
      expect(Math.abs(gradient[i] - slope), `${name} ${i}`).toBeLessThan(1e-6 * Math.max(1, Math.abs(slope)))
    }
  }
})

test('leaves nothing behind but its result', async () => {
  const [x, mean, logScale] = [float([0, 1]), float([0, 0]), float([0, 0])]
  expect(await buffersLeft(() => discretisedGaussianLogLikelihood(x, mean, logScale).dispose())).toBe(0)
})
