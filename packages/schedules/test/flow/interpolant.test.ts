import { describe, expect, test } from 'vitest'
import { flow, flowLevel, type Interpolant, snrToT, timestepToT } from '../../src/index.js'

const interpolants: readonly Interpolant[] = ['linear', 'gvp', 'vp']

describe('flowLevel', () => {
  test('is a quarter of noise at t = 0.25 on the straight path', () => {
    const { alpha, sigma, dAlpha, dSigma, diffusivity } = flowLevel(0.25)
    expect([alpha, sigma, dAlpha, dSigma, diffusivity]).toEqual([0.75, 0.25, -1, 1, 0.25 / 0.75])
  })

  test('has both factors at sqrt(1/2) in the middle of gvp', () => {
    const { alpha, sigma, dAlpha } = flowLevel(0.5, { interpolant: 'gvp' })
    expect(alpha).toBeCloseTo(Math.SQRT1_2, 15)
    expect(sigma).toBeCloseTo(Math.SQRT1_2, 15)
    expect(dAlpha).toBeCloseTo((-Math.PI / 2) * Math.SQRT1_2, 15)
  })

  test('keeps exp(-5.025) of the signal at the end of vp', () => {
    expect(flowLevel(1, { interpolant: 'vp' }).alpha).toBeCloseTo(Math.exp(-5.025), 15)
  })

  test('is data at 0 and noise at 1, exactly', () => {
    for (const interpolant of interpolants) {
      expect(flowLevel(0, { interpolant })).toMatchObject({ alpha: 1, sigma: 0 })
    }
    for (const interpolant of ['linear', 'gvp'] as const) {
      expect(flowLevel(1, { interpolant })).toMatchObject({ alpha: 0, sigma: 1 })
    }
  })

  test.each(interpolants)('%s has derivatives that agree with central differences', (interpolant) => {
    for (const t of [0.05, 0.3, 0.7, 0.95]) {
      const h = 1e-6
      const [before, at, after] = [t - h, t, t + h].map((time) => flowLevel(time, { interpolant }))
      expect(at.dAlpha).toBeCloseTo((after.alpha - before.alpha) / (2 * h), 7)
      expect(at.dSigma).toBeCloseTo((after.sigma - before.sigma) / (2 * h), 7)
      expect(at.diffusivity! / (at.sigma * at.dSigma! - (at.dAlpha! / at.alpha) * at.sigma ** 2)).toBeCloseTo(1, 12)
    }
  })

  test.each(['gvp', 'vp'] as const)('%s preserves the variance', (interpolant) => {
    for (const t of [0, 0.2, 0.9]) {
      const { alpha, sigma } = flowLevel(t, { interpolant })
      expect(alpha ** 2 + sigma ** 2).toBeCloseTo(1, 14)
    }
  })

  test('has a finite diffusivity at the data of vp, where dSigma is infinite', () => {
    const { dSigma, diffusivity } = flowLevel(0, { interpolant: 'vp' })
    expect([dSigma, diffusivity]).toEqual([Infinity, 0.05])
  })

  test('tells a network its own time, and turns its velocity', () => {
    expect(flowLevel(0.25, { networkTime: 'towardsData' })).toMatchObject({
      timestep: 0.75,
      velocityScale: -1,
      t: 0.25,
    })
    expect(flowLevel(0.25, { timestepScale: 1000 })).toMatchObject({ timestep: 250, velocityScale: 1 })
    for (const options of [{ networkTime: 'towardsData' }, { timestepScale: 1000 }] as const) {
      expect(timestepToT(flowLevel(0.3, options).timestep, options)).toBeCloseTo(0.3, 15)
    }
  })

  test('follows the formulas beyond the ends', () => {
    expect(flowLevel(-0.1)).toMatchObject({ alpha: 1.1, sigma: -0.1 })
  })
})

describe('snrToT', () => {
  test.each(interpolants)('undoes flowLevel on %s', (interpolant) => {
    for (const t of [0.01, 0.4, 0.99]) {
      const { alpha, sigma } = flowLevel(t, { interpolant })
      expect(snrToT((alpha / sigma) ** 2, { interpolant })).toBeCloseTo(t, 10)
    }
  })

  test('has the ends at infinity and 0', () => {
    for (const interpolant of ['linear', 'gvp'] as const) {
      expect(snrToT(Infinity, { interpolant })).toBe(0)
      expect(snrToT(0, { interpolant })).toBe(1)
    }
  })

  test('with equal rates, vp is solved too', () => {
    expect(snrToT(1 / Math.expm1(2), { interpolant: 'vp', betaMin: 4, betaMax: 4 })).toBeCloseTo(0.5, 14)
  })

  test('refuses what vp does not reach, and negative ratios', () => {
    expect(() => snrToT(1e-6, { interpolant: 'vp' })).toThrow(
      'snrToT: this vp flow ends at a signal-to-noise ratio of 0.0000432, at t = 1 (got 0.000001)',
    )
    expect(() => snrToT(-1)).toThrow('snrToT: snr must be 0 or more (got -1)')
  })
})

test('flow refuses what it does not know', () => {
  expect(flow()).toEqual({
    interpolant: 'linear',
    betaMin: 0.1,
    betaMax: 20,
    networkTime: 'towardsNoise',
    timestepScale: 1,
  })
  expect(() => flow({ interpolant: 'cosine' as 'gvp' })).toThrow(
    'flow: interpolant must be one of linear, gvp, vp (got cosine)',
  )
  expect(() => flow({ betaMin: -1 })).toThrow(
    'flow: betaMin and betaMax must be 0 or more, and not both 0 (got -1 and 20)',
  )
  expect(() => flow({ networkTime: 'up' as 'towardsData' })).toThrow(
    'networkTime must be towardsNoise or towardsData (got up)',
  )
  expect(() => flow({ timestepScale: 0 })).toThrow('timestepScale must be positive and finite (got 0)')
  expect(() => flowLevel(NaN)).toThrow('flowLevel: t must be finite (got NaN)')
})
