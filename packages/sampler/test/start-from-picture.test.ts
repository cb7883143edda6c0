import { denoiseAtLevels } from '@dit/diffusion'
import { edmPath } from '@dit/schedules'
import { affine, dispose, full, tensor } from '@dit/tensor'
import { backend } from '../../diffusion/test/tensors.js'
import { expect, test } from 'vitest'
import { heun, lastStep, startFromPicture, startNoise } from '../src/index.js'

const picture = tensor([0.5, -1], [1, 1, 1, 2])
const path = edmPath({ numSteps: 4, sigmaMin: 1, sigmaMax: 4, rho: 1 }) // 4, 3, 2, 1, 0

test('strength 0 leaves the picture and no step', async () => {
  const { path: rest, xT } = startFromPicture(path, picture, { strength: 0, seed: 0 })
  expect(rest.steps).toEqual([])
  expect(await xT.data()).toEqual(await picture.data())
})

test('a strength runs that share of the steps, from the picture noised to the first of them', async () => {
  const noise = full([1, 1, 1, 2], 1)
  const { path: rest, xT } = startFromPicture(path, picture, { strength: 0.5, noise })
  expect(rest.steps).toEqual(path.steps.slice(2))
  expect(await xT.data()).toEqual(Float64Array.of(2.5, 1))
  expect(startFromPicture(path, picture, { strength: 0.74, noise }).path.steps).toHaveLength(2)
})

test('strength 1 runs the whole path', async () => {
  const { path: rest, xT } = startFromPicture(path, picture, { strength: 1, seed: 3, firstSample: 7 })
  expect(rest.steps).toEqual(path.steps)
  const noise = await startNoise([1, 1, 1, 2], { seed: 3, firstSample: 7 }).data()
  expect(await xT.data()).toEqual(Float64Array.of(0.5 + 4 * noise[0], -1 + 4 * noise[1]))
})

test('a share that rounding puts below a whole number of steps counts as that number', () => {
  const long = edmPath({ numSteps: 100 })
  expect(startFromPicture(long, picture, { strength: 0.29, seed: 0 }).path.steps).toHaveLength(29)
})

test('a denoiser that knows the picture leads back to it', async () => {
  const denoise = denoiseAtLevels((x) => affine(x, 0, 0.25))
  const { path: rest, xT } = startFromPicture(path, full([1, 1, 1, 2], 0.25), { strength: 0.75, seed: 1 })
  for (const value of await (await lastStep(heun(rest, denoise, xT))).data()) expect(value).toBeCloseTo(0.25, 12)
})

test('leaves no buffers behind but its start', () => {
  const before = backend.memory().buffers
  for (const strength of [0, 1]) dispose(startFromPicture(path, picture, { strength, seed: 0 }).xT)
  expect(backend.memory().buffers).toBe(before)
})

test('names what is wrong', () => {
  expect(() => startFromPicture(path, picture, { strength: 1.2, seed: 0 })).toThrow(
    'startFromPicture: strength must be in [0, 1] (got 1.2)',
  )
  expect(() => startFromPicture(path, picture, { strength: 1, noise: full([1, 1, 1, 3], 1) })).toThrow(
    'startFromPicture: noise must have the shape of x0 (got [1, 1, 1, 3] and [1, 1, 1, 2])',
  )
})
