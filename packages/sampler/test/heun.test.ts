import { type Denoise, denoiseAtLevels } from '@dit/diffusion'
import { edmPath, type NoiseLevel, pathThrough, preservingLevel } from '@dit/schedules'
import { affine, dispose, full, type Tensor, tensor } from '@dit/tensor'
import { backend } from '../../diffusion/test/tensors.js'
import { expect, test } from 'vitest'
import { heun, lastStep, startNoise } from '../src/index.js'

const one = (values: readonly number[]) => tensor(Float64Array.from(values), [1, 1, 1, values.length])

/** The exact denoiser of normal data with variance 1: its ODE keeps x / sqrt(1 + sigma^2). */
const ofNormal = denoiseAtLevels((x, sigmas) => affine(x, 1 / (1 + sigmas[0] ** 2)))
const short = (numSteps: number) => edmPath({ numSteps, sigmaMin: 0.5, sigmaMax: 2, rho: 1 })
const [first, second] = short(2).steps

test('takes the steps that are worked out by hand', async () => {
  // D = 0: d = x / sigma. Heun is exact: x = 4 * 0.5 / 2 at sigma 0.5, and 0 at 0.
  const zero = denoiseAtLevels((x) => affine(x, 0))
  const values: number[] = []
  for await (const { xt } of heun(short(2), zero, one([4]))) values.push((await xt.data())[0])
  expect(values).toEqual([1, 0])
})

test('evaluates twice a step and once in the last, and tells the step', async () => {
  const seen: unknown[] = []
  const denoise: Denoise = (xt, level, step) => {
    seen.push([level.sigma, step])
    return ofNormal(xt, level, step)
  }
  await lastStep(heun(short(2), denoise, one([1])))
  expect(seen).toEqual([
    [2, first],
    [0.5, first],
    [0.5, second],
  ])
})

test('its error falls with the square of the number of steps', async () => {
  const error = async (numSteps: number) => {
    const path = { ...short(numSteps), steps: short(numSteps).steps.slice(0, -1) } // ends at 0.5
    const [value] = await (await lastStep(heun(path, ofNormal, one([1])))).data()
    return Math.abs(value - Math.sqrt(1.25 / 5))
  }
  // numSteps levels make numSteps - 1 steps.
  const ratio = (await error(9)) / (await error(17))
  expect(ratio).toBeGreaterThan(3.6)
  expect(ratio).toBeLessThan(4.8)
})

test('follows the same samples on a path that keeps the variance', async () => {
  const kept = ({ sigma }: NoiseLevel): NoiseLevel => {
    const alpha = 1 / Math.sqrt(1 + sigma * sigma)
    return { alpha, sigma: sigma * alpha, timestep: sigma }
  }
  const plain = edmPath({ numSteps: 5 })
  const levels = [plain.steps[0].from, ...plain.steps.map(({ to }) => to)]
  const path = {
    ...pathThrough(levels.map(kept)),
    atSigma: (sigma: number) => kept({ alpha: 1, sigma, timestep: sigma }),
  }
  const start = one([3, -70])
  const options = { churn: 2, seed: 4 }
  const wanted = await (await lastStep(heun(plain, ofNormal, start, options))).data()
  const scaled = affine(start, path.steps[0].from.alpha)
  const got = await (await lastStep(heun(path, ofNormal, scaled, options))).data()
  for (const [i, value] of got.entries()) expect(value).toBeCloseTo(wanted[i], 10)
})

test('raises levels between churnMin and churnMax, and adds the noise that this takes', async () => {
  const seen: number[] = []
  const zero = denoiseAtLevels((x, sigmas) => {
    seen.push(sigmas[0])
    return affine(x, 0)
  })
  const asked: number[] = []
  const noise = (index: number, shape: readonly number[]) => {
    asked.push(index)
    return full(shape, 1)
  }
  const options = { churn: 0.5, churnMin: 1, churnMax: 2, churnNoise: 2, noise }
  const steps = heun(short(2), zero, one([4]), options)
  const { value } = await steps.next()
  // Raised by a quarter, from 2 to 2.5: x = 4 + 2 sqrt(2.25) = 7, and 7 * 0.5 / 2.5 at sigma 0.5.
  expect((await (value as { xt: Tensor }).xt.data())[0]).toBeCloseTo(1.4, 12)
  await steps.next()
  expect(seen).toEqual([2.5, 0.5, 0.5])
  expect(asked).toEqual([0])
  await steps.return()
})

test('never raises a level beyond twice its variance', async () => {
  const seen: number[] = []
  const denoise = denoiseAtLevels((x, sigmas) => {
    seen.push(sigmas[0])
    return affine(x, 0)
  })
  await lastStep(heun(short(2), denoise, one([1]), { churn: 100, seed: 0 }))
  expect(seen[0]).toBeCloseTo(2 * Math.SQRT2, 12)
})

test('draws samples of the right variance, with churn and without', async () => {
  const path = edmPath({ numSteps: 80 })
  for (const churn of [0, 10]) {
    const xT = affine(startNoise([1000, 1, 1, 1], { seed: 1 }), path.startScale)
    const values = await (await lastStep(heun(path, ofNormal, xT, { churn, seed: 2 }))).data()
    const variance = Array.from(values).reduce((sum, value) => sum + value * value, 0) / values.length
    // The standard error of the variance of 1000 draws is 0.045; the steps add 1 %.
    expect(Math.abs(variance - 1)).toBeLessThan(0.15)
  }
})

test('leaves no buffers behind, also when left early', async () => {
  const xT = one([1, 2])
  const before = backend.memory().buffers
  for await (const { index } of heun(short(4), ofNormal, xT, { churn: 1, seed: 0 })) if (index === 1) break
  expect(backend.memory().buffers).toBe(before)
  dispose(await lastStep(heun(short(4), ofNormal, xT)))
  expect(backend.memory().buffers).toBe(before)
})

test('names what is wrong', () => {
  const run =
    (options: object, path = short(2)) =>
    () =>
      heun(path, ofNormal, one([1]), options)
  expect(run({ churn: -1 })).toThrow('heun: churn must be a number, 0 or more (got -1)')
  expect(run({ churnNoise: Number.NaN })).toThrow('heun: churnNoise must be a number, 0 or more (got NaN)')
  expect(run({ churn: 1 })).toThrow('heun: a seed or a noise function is needed')
  expect(run({ churn: 1, seed: 0 }, pathThrough([preservingLevel(1, 1), preservingLevel(0, 0)]))).toThrow(
    'heun: churn is for paths whose alpha is 1, or which know the levels between their steps (atSigma)',
  )
  const empty = pathThrough([
    { alpha: 0, sigma: 1, timestep: 1 },
    { alpha: 1, sigma: 0, timestep: 0 },
  ])
  expect(run({}, empty)).toThrow('heun: alpha must be above 0 along the path')
})
