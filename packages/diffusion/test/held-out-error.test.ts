import { normals, randomStream } from '@dit/random'
import { levelAtSnr } from '@dit/schedules'
import { affine, reference, slice, tensor, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import {
  denoiser,
  type DenoiserOptions,
  gaussianDiffusion,
  HELD_OUT_SNRS,
  heldOutErrors,
  type HeldOutLevel,
  type PredictAt,
  summariseHeldOut,
} from '../src/index.js'

const backend = reference()
const shape = [6, 2, 4, 4]
const x0 = tensor(normals(randomStream(1, 'x0'), 192), shape, { backend })
const diffusion = gaussianDiffusion({ varianceType: 'fixedSmall' })
const levels: HeldOutLevel[] = HELD_OUT_SNRS.map((snr) => ({ snr, ...levelAtSnr(diffusion.tables, snr) }))

/** The estimate of x0 of a network that predicts the noise, or x0. */
const reader = (predict: PredictAt, prediction: DenoiserOptions['prediction'] = 'epsilon') => {
  const denoise = denoiser(predict, { prediction })
  return (xt: Tensor, level: HeldOutLevel) => denoise(xt, level).x0
}

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b) / values.length

test('of the truth is 0, and of black is the mean square of each picture', async () => {
  const right = await heldOutErrors(() => affine(x0, 1), { x0, start: 0 }, levels)
  expect(right.every((errors) => errors.every((error) => error === 0))).toBe(true)
  const black = await heldOutErrors(() => affine(x0, 0), { x0, start: 0 }, levels)
  const squares = Array.from({ length: 6 }, (_, i) => {
    return mean(
      normals(randomStream(1, 'x0'), 192)
        .subarray(32 * i, 32 * (i + 1))
        .map((value) => value * value),
    )
  })
  for (const errors of black) errors.forEach((error, i) => expect(error).toBeCloseTo(squares[i], 6))
})

test('of a network that sees no noise is about 1 / snr at every level: the noise, at the size of the picture', async () => {
  const nothing = (xt: Tensor) => affine(xt, 0)
  const errors = await heldOutErrors(reader(nothing), { x0, start: 0 }, levels)
  // The mean of 192 squared normals: 1 with a deviation of 0.1.
  errors.forEach((values, i) => expect(mean(values) * levels[i].snr).toBeCloseTo(1, 0))
})

test('is the same for a network that predicts x0 and its twin that predicts the noise', async () => {
  // Both estimate x0 as a tenth of xt.
  const estimate = (xt: Tensor) => affine(xt, 0.1)
  const noiseOf =
    ({ alpha, sigma }: HeldOutLevel) =>
    (xt: Tensor) =>
      affine(xt, (1 - 0.1 * alpha) / sigma)
  const direct = await heldOutErrors(reader(estimate, 'x0'), { x0, start: 0 }, levels)
  const twin = await heldOutErrors((xt, level) => reader(noiseOf(level))(xt, level), { x0, start: 0 }, levels)
  direct.forEach((values, i) => values.forEach((value, k) => expect(twin[i][k] / value).toBeCloseTo(1, 10)))
})

test('a picture has the same noise in any batch, and other noise at another place', async () => {
  const nothing = (xt: Tensor) => affine(xt, 0)
  const errorsOf = async (pictures: Tensor, start: number) =>
    heldOutErrors(reader(nothing), { x0: pictures, start }, levels)
  const whole = await errorsOf(x0, 0)
  const tail = slice(x0, 0, 4, 2)
  expect((await errorsOf(tail, 4)).map((values) => [...values])).toEqual(
    whole.map((values) => Array.from(values.slice(4))),
  )
  expect((await errorsOf(tail, 0))[0][0]).not.toBe(whole[0][4])
})

test('tells the network the fractional timestep of the level, and leaves no tensor behind', async () => {
  const before = backend.memory().buffers
  const told: number[] = []
  const predict = (xt: Tensor, timesteps: ArrayLike<number>) => {
    told.push(timesteps[0])
    return affine(xt, 0)
  }
  await heldOutErrors(reader(predict), { x0, start: 0 }, levels)
  expect(told).toEqual(levels.map(({ timestep }) => Math.fround(timestep)))
  expect(backend.memory().buffers).toBe(before)
})

test('the summary has means, their standard errors, and the geometric mean over the levels', () => {
  const two = levels.slice(0, 2)
  const {
    geometricMean,
    levels: measured,
    count,
  } = summariseHeldOut(two, [
    [1, 3],
    [8, 8],
  ])
  expect(count).toBe(2)
  expect(measured).toEqual([
    { snr: 100, error: 2, standardError: 1 },
    { snr: 10, error: 8, standardError: 0 },
  ])
  expect(geometricMean).toBeCloseTo(4, 12)
  expect(() => summariseHeldOut(two, [[], []])).toThrow('there must be a level and a picture')
})
