import { expect, test } from 'vitest'
import {
  edmLossWeight,
  edmPreconditioning,
  edmTrainingSigmas,
  iddpmPreconditioning,
  veTrainingSigmas,
  vePreconditioning,
  vpPreconditioning,
  vpSigmaToT,
  vpTrainingSigmas,
  vpTToSigma,
} from '../src/index.js'

test('EDM halves signal and noise where they are alike', () => {
  const { skip, out, in: input, noise } = edmPreconditioning(1)(1)
  expect(skip).toBe(0.5)
  expect(out).toBeCloseTo(Math.SQRT1_2, 15)
  expect(input).toBeCloseTo(Math.SQRT1_2, 15)
  expect(noise).toBe(0)
})

test('EDM gives inputs and targets of unit variance, and a loss of 1', () => {
  for (const sigma of [0.01, 0.5, 30]) {
    const { skip, out, in: input } = edmPreconditioning(0.5)(sigma)
    expect(input ** 2 * (0.25 + sigma ** 2)).toBeCloseTo(1, 12)
    // The target is (x0 - skip (x0 + sigma noise)) / out.
    expect(((1 - skip) ** 2 * 0.25 + skip ** 2 * sigma ** 2) / out ** 2).toBeCloseTo(1, 12)
    expect(edmLossWeight(sigma, 0.5) * out ** 2).toBeCloseTo(1, 12)
  }
})

test('the noise predictors subtract sigma times their output', () => {
  expect(vpPreconditioning()(1)).toEqual({ skip: 1, out: -1, in: 1 / Math.sqrt(2), noise: 999 * vpSigmaToT(1) })
  expect(vePreconditioning()(2)).toEqual({ skip: 1, out: 2, in: 1, noise: 0 })
})

test('VP times and noise levels are inverse to each other', () => {
  for (const t of [1e-5, 0.3, 1]) {
    expect(vpSigmaToT(vpTToSigma(t))).toBeCloseTo(t, 12)
    expect(vpSigmaToT(vpTToSigma(t, { betaD: 5, betaMin: 1 }), { betaD: 5, betaMin: 1 })).toBeCloseTo(t, 12)
  }
})

test('iDDPM tells the timestep of the nearest of its levels', () => {
  const { preconditioning, sigmas, nearest } = iddpmPreconditioning({ numTimesteps: 100 })
  expect(sigmas[100]).toBe(0)
  expect(sigmas.every((sigma, i) => i === 0 || sigma < sigmas[i - 1])).toBe(true)
  expect(nearest(sigmas[40] * 1.0001)).toBe(40)
  expect(preconditioning(sigmas[40])).toMatchObject({ skip: 1, out: -sigmas[40], noise: 59 })
})

test('training levels follow their draws', () => {
  expect(edmTrainingSigmas([0, 1])).toEqual(Float64Array.of(Math.exp(-1.2), Math.exp(1.2 - 1.2)))
  expect(veTrainingSigmas([0, 0.5], { sigmaMin: 1, sigmaMax: 4 })).toEqual(Float64Array.of(1, 2))
  expect(vpTrainingSigmas([0])).toEqual(Float64Array.of(vpTToSigma(1)))
})

test('names what is wrong', () => {
  expect(() => edmPreconditioning(0)).toThrow('edmPreconditioning: sigmaData must be a positive number (got 0)')
  expect(() => vpPreconditioning({ betaD: -1 })).toThrow('vpPreconditioning: betaD must be a positive number (got -1)')
  expect(() => edmTrainingSigmas([0], { mean: NaN })).toThrow(
    'edmTrainingSigmas: mean must be a finite number (got NaN)',
  )
  expect(() => veTrainingSigmas([0], { sigmaMin: 0 })).toThrow('sigmaMin must be a positive number (got 0)')
})
