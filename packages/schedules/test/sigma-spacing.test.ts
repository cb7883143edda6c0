import {
  betaSigmas,
  dynamicShift,
  dynamicShiftSigma,
  edmLevel,
  edmPreconditioning,
  explodingLevel,
  exponentialSigmas,
  karrasSigmas,
  namedBetas,
  preservingLevel,
  shiftTime,
  sigmaAt,
  sigmaTable,
  sigmaTableOfFloat32,
  sigmaTimesteps,
  straightLevel,
  stretchToTerminal,
  timestepAt,
  diffusionTables,
  zeroTerminalSnr,
} from '@dit/schedules'
import { describe, expect, test } from 'vitest'
import { betaQuantile, betaShare } from '../src/beta-sigmas.js'

const range = { sigmaMin: 0.01, sigmaMax: 10 }
const near = (values: readonly number[], digits = 12) => values.map((value) => expect.closeTo(value, digits))

describe('sigmas are spread from sigmaMax down to sigmaMin', () => {
  test.each([karrasSigmas, exponentialSigmas, betaSigmas])('%o', (spread) => {
    const sigmas = spread(range, 7)
    expect([sigmas[0], sigmas[6]]).toEqual(near([10, 0.01]))
    expect(sigmas.every((sigma, i) => i === 0 || sigma < sigmas[i - 1])).toBe(true)
    expect([...spread(range, 1)]).toEqual(near([10]))
    expect(() => spread({ sigmaMin: 0, sigmaMax: 1 }, 3)).toThrow(/sigmas must be finite and above 0/)
    expect(() => spread(range, 0)).toThrow(/numSteps must be a positive integer \(got 0\)/)
  })
  test('by hand: the middle of three', () => {
    expect(karrasSigmas({ sigmaMin: 1, sigmaMax: 128 }, 3)[1]).toBeCloseTo(1.5 ** 7, 9)
    expect(karrasSigmas({ sigmaMin: 1, sigmaMax: 9 }, 3, 2)[1]).toBeCloseTo(4, 12)
    expect(exponentialSigmas(range, 3)[1]).toBeCloseTo(Math.sqrt(0.1), 12)
    expect(betaSigmas({ sigmaMin: 1, sigmaMax: 3 }, 3)[1]).toBeCloseTo(2, 12)
  })
})

test('the beta distribution: uniform, arcsine, and values of scipy 1.17.1', () => {
  expect(betaShare(0.3, 1, 1)).toBeCloseTo(0.3, 13)
  expect(betaQuantile(0.3, 0.5, 0.5)).toBeCloseTo(Math.sin((Math.PI / 2) * 0.3) ** 2, 12)
  expect(betaQuantile(0.1, 0.6, 0.6)).toBeCloseTo(0.03958440558878085, 12)
  expect(betaQuantile(0.2, 2, 5)).toBeCloseTo(0.1398806882699578, 12)
  expect([betaQuantile(0, 2, 5), betaQuantile(1, 2, 5), betaShare(0, 2, 5), betaShare(1, 2, 5)]).toEqual([0, 1, 0, 1])
  expect(() => betaSigmas(range, 3, { a: 0 })).toThrow('betaSigmas: the shapes must be above 0 (got 0 and 0.6)')
})

test('flow sigmas: both shifts keep the ends, and agree for shift = e^mu', () => {
  expect(shiftTime(0.5, 3)).toBe(0.75)
  expect([shiftTime(0, 3), shiftTime(1, 3)]).toEqual([0, 1])
  expect(dynamicShiftSigma(0.3, Math.log(3))).toBeCloseTo(shiftTime(0.3, 3), 14)
  expect(dynamicShiftSigma(0.3, 3, 'linear')).toBeCloseTo(shiftTime(0.3, 3), 14)
  expect([dynamicShift(256), dynamicShift(4096)]).toEqual(near([0.5, 1.15]))
  expect([...stretchToTerminal(Float64Array.of(1, 0.6, 0.2), 0.1)]).toEqual(near([1, 0.55, 0.1]))
  expect(() => stretchToTerminal(Float64Array.of(1), 0.1)).toThrow(
    'stretchToTerminal: the last sigma must be below 1 (got 1)',
  )
})

test('zero terminal SNR ends without signal and keeps the first beta', () => {
  const betas = namedBetas('linear', 1000)
  const rescaled = zeroTerminalSnr(betas)
  const { alphaBar } = diffusionTables(rescaled)
  expect([rescaled[999], alphaBar[999]]).toEqual([1, 0])
  expect(rescaled[0]).toBeCloseTo(betas[0], 12)
  expect(() => zeroTerminalSnr([0.1])).toThrow('zeroTerminalSnr: a schedule of one step has no first step to keep')
})

test('a table and its inverse meet at, between and beyond the timesteps', () => {
  const table = sigmaTable(diffusionTables(namedBetas('linear', 1000)).alphaBar)
  const logs = table.map(Math.log)
  expect(sigmaAt(table, 10)).toBe(table[10])
  expect(sigmaAt(table, 10.25)).toBeCloseTo(0.75 * table[10] + 0.25 * table[11], 14)
  expect([sigmaAt(table, -1), sigmaAt(table, 2000)]).toEqual([table[0], table[999]])
  expect(timestepAt(logs, table[10])).toBeCloseTo(10, 9)
  expect(timestepAt(logs, Math.sqrt(table[10] * table[11]))).toBeCloseTo(10.5, 9)
  expect([timestepAt(logs, 1e-9), timestepAt(logs, 1e9)]).toEqual([0, 999])
  expect(sigmaTableOfFloat32(namedBetas('linear', 1000))[999] / table[999]).toBeCloseTo(1, 5)
})

test('sigma timesteps are those of DDIM, but linspace keeps its fractions', () => {
  const options = { numTimesteps: 1000, numSteps: 7 }
  expect([...sigmaTimesteps({ ...options, spacing: 'linspace' })]).toEqual(
    near([999, 832.5, 666, 499.5, 333, 166.5, 0]),
  )
  expect([...sigmaTimesteps({ ...options, spacing: 'leading' })]).toEqual([852, 710, 568, 426, 284, 142, 0])
  expect([...sigmaTimesteps({ ...options, spacing: 'linspace', numSteps: 1 })]).toEqual([0])
})

test('levels by hand', () => {
  expect(preservingLevel(0.75, 3)).toEqual({ alpha: 0.8, sigma: expect.closeTo(0.6, 12), timestep: 3 })
  expect(preservingLevel(Infinity, 3)).toEqual({ alpha: 0, sigma: 1, timestep: 3 })
  expect(explodingLevel(0.75, 3)).toEqual({ alpha: 1, sigma: 0.75, timestep: 3, inputScale: 0.8 })
  expect(straightLevel(0.25, 250)).toEqual({ alpha: 0.75, sigma: 0.25, timestep: 250, t: 0.25, dAlpha: -1, dSigma: 1 })
  const { skip, out, in: scale, noise } = edmPreconditioning(0.5)(1.2)
  expect([skip, out, scale, noise]).toEqual(near([0.25 / 1.69, 0.6 / 1.3, 1 / 1.3, 0.25 * Math.log(1.2)]))
  expect(edmLevel(1.2)).toEqual({ alpha: 1, sigma: 1.2, timestep: noise, inputScale: scale })
  expect(edmLevel(0).timestep).toBe(0)
})
