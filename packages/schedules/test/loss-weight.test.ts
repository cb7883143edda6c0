import { expect, test } from 'vitest'
import { checkLossWeight, diffusionTables, type LossWeight, lossWeightAt, lossWeights } from '../src/index.js'

test('min-SNR caps the weight of x0 at gamma, and scales it for the noise and for v', () => {
  const weight = { minSnr: 5 }
  expect([1, 20].map((snr) => lossWeightAt(snr, weight, 'x0'))).toEqual([1, 5])
  expect([1, 20].map((snr) => lossWeightAt(snr, weight, 'epsilon'))).toEqual([1, 0.25])
  expect([1, 19].map((snr) => lossWeightAt(snr, weight, 'v'))).toEqual([0.5, 0.25])
})

test('the other weights of x0 follow their formulas', () => {
  expect([0.5, 4].map((snr) => lossWeightAt(snr, 'snr', 'x0'))).toEqual([0.5, 4])
  expect([0.5, 4].map((snr) => lossWeightAt(snr, 'truncatedSnr', 'x0'))).toEqual([1, 4])
  expect([0.5, 4].map((snr) => lossWeightAt(snr, 'inverseSnr', 'x0'))).toEqual([2, 0.25])
  expect([0.5, 8].map((snr) => lossWeightAt(snr, { maxSnr: 2 }, 'epsilon'))).toEqual([4, 1])
  expect([0.5, 8].map((snr) => lossWeightAt(snr, 'none', 'v'))).toEqual([1, 1])
})

test('P2 is 1 / (k + snr)^gamma for the noise, and 1 where gamma is 0', () => {
  expect(lossWeightAt(3, { p2: {} }, 'epsilon')).toBe(0.25)
  expect(lossWeightAt(3.5, { p2: { k: 0.5, gamma: 0.5 } }, 'epsilon')).toBe(0.5)
  expect(lossWeightAt(3.5, { p2: { gamma: 0 } }, 'epsilon')).toBe(1)
})

test('a weight counts the same error alike, whatever is predicted', () => {
  const weights: LossWeight[] = [{ minSnr: 5 }, { maxSnr: 2 }, { p2: { k: 0.7, gamma: 1.3 } }, 'snr', 'inverseSnr']
  for (const weight of weights) {
    for (const snr of [0.01, 1, 30]) {
      const ofX0 = lossWeightAt(snr, weight, 'x0')
      // The error of the noise is snr times that of x0, the error of v snr + 1 times: a few roundings of float64.
      expect(lossWeightAt(snr, weight, 'epsilon') * snr).toBeCloseTo(ofX0, 12)
      expect(lossWeightAt(snr, weight, 'v') * (snr + 1)).toBeCloseTo(ofX0, 12)
    }
  }
})

test('where no signal is left the weight is 1, and that of P2 finite', () => {
  const tables = diffusionTables([0.5, 1])
  expect(lossWeights(tables, { minSnr: 5 }, 'v')).toEqual(Float64Array.of(0.5, 1))
  expect(lossWeights(tables, 'inverseSnr', 'x0')).toEqual(Float64Array.of(1, 1))
  expect(lossWeights(tables, { p2: { k: 2 } }, 'epsilon')).toEqual(Float64Array.of(1 / 3, 0.5))
  expect(lossWeights(tables, { p2: { k: 2 } }, 'x0')).toEqual(Float64Array.of(1 / 3, 0))
})

test('names what is wrong with a weight', () => {
  const check = (weight: unknown) => () => checkLossWeight('here', weight as LossWeight)
  expect(check('minSnr')).toThrow(
    'here: the loss weight must be none, snr, truncatedSnr, inverseSnr, { minSnr }, { maxSnr } or { p2 } (got "minSnr")',
  )
  expect(check(null)).toThrow('(got null)')
  expect(check({ minSnr: 5, p2: {} })).toThrow('(got {"minSnr":5,"p2":{}})')
  expect(check({ minSnr: 0 })).toThrow('here: minSnr must be a positive number (got 0)')
  expect(check({ maxSnr: '5' })).toThrow('here: maxSnr must be a positive number (got 5)')
  expect(check({ p2: 1 })).toThrow('here: p2 must be an object with k and gamma (got 1)')
  expect(check({ p2: { k: 0 } })).toThrow('here: k of p2 must be a positive number (got 0)')
  expect(check({ p2: { gamma: -1 } })).toThrow('here: gamma of p2 must be a number, 0 or more (got -1)')
  expect(check({ p2: { g: 1 } })).toThrow('here: p2 has no setting g, only k and gamma')
  expect(() => lossWeightAt(1, 'snr', 'score' as 'x0')).toThrow('prediction must be epsilon, x0 or v (got score)')
})
