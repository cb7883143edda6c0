import { expect, test } from 'vitest'
import { deviationOf, meanOf } from '../src/mean.js'

test('of 1, 2, 6 the mean is 3, the deviation sqrt(14 / 3), and by N - 1 sqrt(7)', () => {
  expect(meanOf([1, 2, 6])).toBe(3)
  expect(deviationOf([1, 2, 6])).toBeCloseTo(Math.sqrt(14 / 3), 15)
  expect(deviationOf(Int32Array.of(1, 2, 6), 2)).toBeCloseTo(Math.sqrt(7), 15)
})
