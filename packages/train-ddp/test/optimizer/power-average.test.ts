import { expect, test } from 'vitest'
import { exponentOfWidth, posthocFactors, powerDecay, powerProfile, widthOfExponent } from '../../src/index.js'

test('an exponent of 0 has the width of constant weights, and 6.94 that of 10 %', () => {
  expect(widthOfExponent(0)).toBeCloseTo(Math.sqrt(1 / 12), 15)
  expect(exponentOfWidth(0.1)).toBeCloseTo(6.94, 2)
})

test('exponents and widths are inverse to each other', () => {
  for (const exponent of [0, 0.5, 6.94, 100, 1e4]) {
    expect(exponentOfWidth(widthOfExponent(exponent)) / (exponent || 1)).toBeCloseTo(exponent === 0 ? 0 : 1, 8)
  }
})

test('an average with these decays has the weights of the profile', () => {
  const width = 0.1
  let weights: number[] = []
  for (let time = 1; time <= 400; time++) {
    const decay = powerDecay(width, time)
    weights = [...weights.map((weight) => weight * decay), 1 - decay]
  }
  const profile = powerProfile({ time: 400, width }, 401)
  // Decays are made for continuous time: half a step aside, with the largest weight at 0.02.
  for (const [i, weight] of weights.entries()) expect(Math.abs(weight - profile[i + 1])).toBeLessThan(2.5e-4)
})

test('the decay over several steps is the product of theirs', () => {
  expect(powerDecay(0.1, 8, 2)).toBeCloseTo(powerDecay(0.1, 8) * powerDecay(0.1, 7), 14)
  expect(powerDecay(0.1, 1)).toBe(0)
})

test('a stored average is found again, and factors sum to 1', () => {
  const stored = [500, 1000].flatMap((time) => [0.05, 0.1].map((width) => ({ time, width })))
  for (const [i, wanted] of stored.entries()) {
    const factors = posthocFactors(stored, wanted)
    for (const [j, factor] of factors.entries()) expect(factor).toBeCloseTo(i === j ? 1 : 0, 8)
  }
  const between = posthocFactors(stored, { time: 1000, width: 0.07 })
  expect(between.reduce((sum, factor) => sum + factor, 0)).toBeCloseTo(1, 12)
})

test('the sum of stored averages has nearly the profile that is wanted', () => {
  const stored = [250, 500, 750, 1000].flatMap((time) => [0.05, 0.1].map((width) => ({ time, width })))
  const wanted = { time: 1000, width: 0.075 }
  const factors = posthocFactors(stored, wanted)
  const profiles = stored.map((average) => powerProfile(average, 1001))
  const goal = powerProfile(wanted, 1001)
  const largest = Math.max(...goal)
  for (const [t, weight] of goal.entries()) {
    const sum = profiles.reduce((total, profile, i) => total + factors[i] * profile[t], 0)
    expect(Math.abs(sum - weight) / largest).toBeLessThan(0.03)
  }
})

test('names what is wrong', () => {
  for (const width of [0, -1, 0.29, Number.NaN]) {
    expect(() => exponentOfWidth(width)).toThrow('exponentOfWidth: the width must be above 0, at most 0.2887')
  }
  const one = { time: 10, width: 0.1 }
  expect(() => posthocFactors([], one)).toThrow('posthocFactors: there must be a stored average (got none)')
  expect(() => posthocFactors([one, one], one)).toThrow(
    'posthocFactors: two stored averages have the same time and width',
  )
})
