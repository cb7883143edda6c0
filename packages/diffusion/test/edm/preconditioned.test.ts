import { edmPreconditioning, vpPreconditioning } from '@dit/schedules'
import { affine, concat, dispose, mul, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { denoiseAtLevels, preconditioned } from '../../src/index.js'
import { buffersLeft, draws, expectValues, float, numbers } from '../tensors.js'

const x = draws([2, 1, 2, 2], 'x')

test('mixes x and the output by the factors of each sample', async () => {
  const seen: unknown[] = []
  const network = (input: Tensor, told: ArrayLike<number>) => {
    seen.push(told)
    return affine(input, 0, 1)
  }
  const preconditioning = (sigma: number) => ({ skip: sigma, out: 10 * sigma, in: 3, noise: 100 * sigma })
  const D = preconditioned(network, preconditioning)(x, [1, 2])
  const values = await numbers(x)
  await expectValues(
    D,
    values.map((value, i) => (i < 4 ? value + 10 : 2 * value + 20)),
  )
  expect(seen).toEqual([Float32Array.of(100, 200)])
})

test('with the noise in hand, a noise predictor restores x0', async () => {
  const [x0, noise] = [draws([1, 1, 2, 2], 'x0'), draws([1, 1, 2, 2], 'noise')]
  const [a, b] = [await numbers(x0), await numbers(noise)]
  const noisy = float(
    a.map((value, i) => value + 3 * b[i]),
    [1, 1, 2, 2],
  )
  await expectValues(preconditioned(() => noise, vpPreconditioning())(noisy, [3]), a)
})

test('leaves out the channels of the variance', async () => {
  const double = (input: Tensor) => concat([input, affine(input, 100)], 1)
  const one = preconditioned((input) => affine(input, 1), edmPreconditioning())(x, [1, 2])
  const two = preconditioned(double, edmPreconditioning(), { outputsPerChannel: 2 })(x, [1, 2])
  await expectValues(two, await numbers(one))
})

test('at a level with alpha it scales to sigma / alpha, and splits xt', async () => {
  const seen: number[] = []
  const denoise = denoiseAtLevels((input, sigmas) => {
    seen.push(...Array.from(sigmas))
    return mul(input, input)
  })
  const level = { alpha: 0.5, sigma: 2, timestep: 7 }
  const { x0, noise } = denoise(x, level)
  expect(seen).toEqual([4, 4])
  const [values, clean] = [await numbers(x), await numbers(x0)]
  await expectValues(
    x0,
    values.map((value) => (2 * value) ** 2),
  )
  await expectValues(
    noise,
    values.map((value, i) => (value - 0.5 * clean[i]) / 2),
  )
})

test('leaves no buffers behind but the result', async () => {
  expect(
    await buffersLeft(() => dispose(preconditioned((input) => affine(input, 2), edmPreconditioning())(x, [1, 2]))),
  ).toBe(0)
})

test('names a wrong output and a wrong number of sigmas', () => {
  const D = preconditioned((input) => concat([input, input], 1), edmPreconditioning())
  expect(() => D(x, [1, 2])).toThrow(
    'preconditioned: the network must return [2, 1, 2, 2] for x [2, 1, 2, 2] (got [2, 2, 2, 2])',
  )
  expect(() => D(x, [1])).toThrow('preconditioned: there must be one sigma per sample (got 1 for [2, 1, 2, 2])')
})
