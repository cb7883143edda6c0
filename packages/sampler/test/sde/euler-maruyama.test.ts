import { denoiser } from '@dit/diffusion'
import { diffusionCoefficient, type DiffusionForm, flowLevel, flowPath } from '@dit/schedules'
import { affine, tensor } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { eulerMaruyama, lastStep, rungeKutta, type SamplerStep, startNoise, stochasticHeun } from '../../src/index.js'
import { backend, normalData } from '../ode/normal-data.js'

const xT = tensor([1, -2], [1, 1, 1, 2], { backend })
const draws = () => tensor([2, 0.5], [1, 1, 1, 2], { backend })
const path = flowPath({ numSteps: 2, to: 0.2 })
const end = async (steps: AsyncIterable<SamplerStep>) => [...(await (await lastStep(steps)).data())]

describe('one step by hand, with velocity 3 and w = 0.5', () => {
  const constant = denoiser((xt) => affine(xt, 0, 3), { prediction: 'velocity' })
  // At t = 1: noise = velocity + x0, x0 = xt - velocity, so noise = xt and score = -xt.
  const half = flowPath({ numSteps: 1, to: 0.5 })
  const options = { form: 'constant', norm: 0.5, lastStep: 'none', noise: draws } as const

  test('Euler and Maruyama', async () => {
    const drift = (x: number) => -0.5 * x - 3
    const want = [1 + 0.5 * drift(1) + Math.sqrt(0.5) * 2, -2 + 0.5 * drift(-2) + Math.sqrt(0.5) * 0.5]
    const got = await end(eulerMaruyama(half, constant, xT, options))
    got.forEach((value, i) => expect(value).toBeCloseTo(want[i], 14))
  })

  test('Heun', async () => {
    const want = [
      [1, 2],
      [-2, 0.5],
    ].map(([x, draw]) => {
      const noisy = x + Math.sqrt(0.5) * draw
      const k1 = -0.5 * noisy - 3
      const ahead = noisy + 0.5 * k1
      // At t = 1/2: noise = xt + velocity / 2, score = -2 noise.
      const k2 = -0.5 * 2 * (ahead + 1.5) - 3
      return noisy + 0.25 * (k1 + k2)
    })
    const got = await end(stochasticHeun(half, constant, xT, options))
    got.forEach((value, i) => expect(value).toBeCloseTo(want[i], 14))
  })
})

test('without noise they are the solvers of the ODE', async () => {
  const still = { form: 'constant', norm: 0, lastStep: 'none', seed: 0 } as const
  const euler = await end(rungeKutta(path, normalData(0.25), xT, { method: 'euler' }))
  const heun = await end(rungeKutta(path, normalData(0.25), xT))
  ;(await end(eulerMaruyama(path, normalData(0.25), xT, still))).forEach((x, i) => expect(x).toBeCloseTo(euler[i], 13))
  ;(await end(stochasticHeun(path, normalData(0.25), xT, still))).forEach((x, i) => expect(x).toBeCloseTo(heun[i], 13))
})

/** Variance after the noisy steps, from the linear recursion that Euler and Maruyama's method is on normal data. */
function varianceAfter(form: DiffusionForm, variance: number, steps: typeof path.steps): number {
  return steps.reduce((now, { from, to }) => {
    const { alpha, sigma, dAlpha, dSigma } = from
    const n = alpha ** 2 * variance + sigma ** 2
    const velocity = (dAlpha! * alpha * variance + dSigma! * sigma) / n
    const w = diffusionCoefficient(from, { form })
    const h = from.t! - to.t!
    return (1 + h * (-w / n - velocity)) ** 2 * now + 2 * w * h
  }, 1)
}

test.each(['sigma', 'linear', 'decreasing', 'increasingDecreasing'] as const)(
  'form %s has the variance of its recursion, which nears that of the data',
  async (form) => {
    const fine = flowPath({ numSteps: 40, to: 0.04 })
    const start = startNoise([1, 1, 60, 60], { seed: 2, backend })
    const values = await end(eulerMaruyama(fine, normalData(0.25), start, { form, seed: 3, lastStep: 'none' }))
    const got = values.reduce((sum, x) => sum + x * x, 0) / values.length
    const want = varianceAfter(form, 0.25, fine.steps)
    // 3600 samples: four standard errors of a variance.
    expect(Math.abs(got / want - 1)).toBeLessThan(4 * Math.sqrt(2 / 3600))
    const { alpha, sigma } = flowLevel(0.04)
    expect(Math.abs(want / (alpha ** 2 * 0.25 + sigma ** 2) - 1)).toBeLessThan(0.1)
  },
)

describe('the last step', () => {
  const from = flowLevel(0.2)
  const n = from.alpha ** 2 * 0.25 + from.sigma ** 2
  const run = (lastStep?: 'none' | 'mean' | 'euler' | 'tweedie', extra: object = {}) =>
    end(eulerMaruyama(path, normalData(0.25), xT, { form: 'sigma', seed: 1, lastStep, ...extra }))

  test('is a step of the SDE, of the ODE, or the estimate of x0', async () => {
    const [x] = await run('none')
    const velocity = ((from.sigma - from.alpha * 0.25) / n) * x
    const score = -x / n
    expect((await run('euler'))[0]).toBeCloseTo(x - 0.2 * velocity, 14)
    expect((await run('mean'))[0]).toBeCloseTo(x + 0.2 * (0.2 * score - velocity), 14)
    expect(await run()).toEqual(await run('mean'))
    expect((await run('tweedie'))[0]).toBeCloseTo((x * from.alpha * 0.25) / n, 14)
    expect((await run('mean', { lastStepSize: 0 }))[0]).toBeCloseTo(x, 14)
  })

  test('is left out where the path already ends at the data', async () => {
    const steps: number[] = []
    const whole = flowPath({ numSteps: 3 })
    for await (const { numSteps } of eulerMaruyama(whole, normalData(0.25), xT, { form: 'sigma', seed: 1 })) {
      steps.push(numSteps)
    }
    expect(steps).toEqual([3, 3, 3])
  })
})

test('draws once a noisy step, and the same for a sample in any batch', async () => {
  const asked: number[] = []
  const noise = (index: number) => {
    asked.push(index)
    return draws()
  }
  await end(eulerMaruyama(path, normalData(0.25), xT, { form: 'sigma', noise }))
  expect(asked).toEqual([0, 1])
  const both = tensor([1, -2, 3, 4], [2, 1, 1, 2], { backend })
  const second = tensor([3, 4], [1, 1, 1, 2], { backend })
  const whole = await end(stochasticHeun(path, normalData(0.25), both, { form: 'sigma', seed: 4 }))
  const part = await end(stochasticHeun(path, normalData(0.25), second, { form: 'sigma', seed: 4, firstSample: 1 }))
  expect(part).toEqual(whole.slice(2))
})

test('leaves no tensor behind', async () => {
  const before = backend.memory().buffers
  for (const solver of [eulerMaruyama, stochasticHeun]) {
    ;(await lastStep(solver(path, normalData(0.25), xT, { form: 'sigma', seed: 0 }))).dispose()
    for await (const _ of solver(path, normalData(0.25), xT, { form: 'sigma', seed: 0 })) break
  }
  expect(backend.memory().buffers).toBe(before)
})

test('says why it refuses: an infinite form, the way back, no score at the data, missing seeds', async () => {
  const run = (options: object, on = path) => eulerMaruyama(on, normalData(0.25), xT, { seed: 0, ...options })
  expect(() => run({})).toThrow(
    'eulerMaruyama: diffusion form sbdm is infinite at t = 1; start the path a little below 1, as flowInterval with isOwnReversal does, or take another form',
  )
  expect(() => run({ form: 'sigma' }, flowPath({ numSteps: 1, from: 0.2, to: 1 }))).toThrow(
    'eulerMaruyama: the path must run from noise to data (got 0.2 to 1)',
  )
  expect(() => run({ form: 'sigma', lastStep: 'last' })).toThrow(
    'lastStep must be none, mean, euler or tweedie (got last)',
  )
  expect(() => run({ form: 'sigma', lastStepSize: 2 })).toThrow('eulerMaruyama: lastStepSize must be in [0, 1] (got 2)')
  expect(() => run({ form: 'sigma', seed: undefined })).toThrow('a seed or a noise function is needed (got neither)')
  const atData = stochasticHeun(flowPath({ numSteps: 2 }), normalData(0.25), xT, { form: 'constant', seed: 0 })
  await expect(lastStep(atData)).rejects.toThrow('scoreOf: the score is infinite where sigma is 0 (at t = 0)')
  const other = () => tensor([1], [1, 1, 1, 1], { backend })
  await expect(lastStep(run({ form: 'sigma', seed: undefined, noise: other }))).rejects.toThrow(
    'eulerMaruyama: noise must have the shape of xt',
  )
})
