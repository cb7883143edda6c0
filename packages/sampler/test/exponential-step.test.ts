import { preservingLevel } from '@dit/schedules'
import { expect, test } from 'vitest'
import { exponentialStep } from '../src/exponential-step.js'

const step = { from: preservingLevel(2, 9), to: preservingLevel(1, 4) }
const h = Math.log(2)

test('each algorithm by its formula', () => {
  const { alpha, sigma } = step.to
  const plus = exponentialStep(step, h, { algorithm: 'dpmsolver++', type: 'heun' })
  expect(plus.keep).toBeCloseTo(sigma / step.from.sigma, 12)
  expect(plus.d0).toBeCloseTo(alpha * 0.5, 12)
  expect(plus.d1).toBeCloseTo(alpha * ((Math.exp(-h) - 1) / h + 1), 12)
  expect(plus.d2).toBeCloseTo(-alpha * ((Math.exp(-h) - 1 + h) / h ** 2 - 0.5), 12)
  expect(plus.fresh).toBe(0)
  const noise = exponentialStep(step, h, { algorithm: 'dpmsolver', type: 'midpoint' })
  expect(noise.keep).toBeCloseTo(alpha / step.from.alpha, 12)
  expect([noise.d0, noise.d1]).toEqual([expect.closeTo(-sigma, 12), expect.closeTo(-sigma / 2, 12)])
  const sde = exponentialStep(step, h, { algorithm: 'sde-dpmsolver++', type: 'midpoint' })
  expect(sde.keep).toBeCloseTo((sigma / step.from.sigma) * 0.5, 12)
  expect(sde.d0).toBeCloseTo(alpha * 0.75, 12)
  expect(sde.fresh).toBeCloseTo(sigma * Math.sqrt(0.75), 12)
  const sdeNoise = exponentialStep(step, h, { algorithm: 'sde-dpmsolver', type: 'midpoint' })
  expect([sdeNoise.d0, sdeNoise.fresh]).toEqual([
    expect.closeTo(-2 * sigma, 12),
    expect.closeTo(sigma * Math.sqrt(3), 12),
  ])
})

test('the series near 0 meets the differences, and a step of no length changes nothing', () => {
  for (const algorithm of ['dpmsolver', 'dpmsolver++'] as const) {
    const [below, above] = [0.00999999, 0.01000001].map((each) =>
      exponentialStep(step, each, { algorithm, type: 'heun' }),
    )
    expect(below.d1 / above.d1).toBeCloseTo(1, 5)
    expect(below.d2 / above.d2).toBeCloseTo(1, 5)
    const none = exponentialStep({ from: step.to, to: step.to }, 0, { algorithm, type: 'heun' })
    expect([none.keep, none.d0, none.d1, none.d2].map((each) => each + 0)).toEqual([1, 0, 0, 0])
  }
})

test('a step to no noise keeps the estimate of x0 alone', () => {
  const last = { from: preservingLevel(1, 4), to: { alpha: 1, sigma: 0, timestep: 0 } }
  for (const algorithm of ['dpmsolver++', 'sde-dpmsolver++'] as const) {
    const { keep, d0, fresh } = exponentialStep(last, Infinity, { algorithm, type: 'midpoint' })
    expect([keep, d0, fresh]).toEqual([0, 1, 0])
  }
})

test("diffusers' third order of the SDE is alpha' less", () => {
  const options = { algorithm: 'sde-dpmsolver++', type: 'heun' } as const
  const [exact, theirs] = (['exact', 'diffusers'] as const).map((sdeThirdOrder) => {
    return exponentialStep(step, h, { ...options, sdeThirdOrder }).d2
  })
  expect(exact - theirs).toBeCloseTo(step.to.alpha, 12)
})
