import { expect, test } from 'vitest'
import { vendiScore } from '../src/vendi-score.js'
import { randomFeatures, rowsOf } from './random-features.js'

test.each([1, 2, 0.5, Infinity])('orthogonal rows count one each, copies and lengths nothing: q = %d', (q) => {
  const rows = rowsOf([1, 0, 0], [5, 0, 0], [0, 2, 0], [0, 1e-9, 0])
  expect(vendiScore(rows, { q }).score).toBeCloseTo(2, 12)
  expect(vendiScore(rowsOf([3, 4], [6, 8]), { q }).score).toBeCloseTo(1, 7)
})

test('two rows at an angle, by hand: eigenvalues (1 + c) / 2 and (1 - c) / 2', () => {
  // c = 0.6
  const rows = rowsOf([1, 0], [0.6, 0.8])
  expect(vendiScore(rows).score).toBeCloseTo(Math.exp(-0.8 * Math.log(0.8) - 0.2 * Math.log(0.2)), 13)
  expect(vendiScore(rows, { q: 2 }).score).toBeCloseTo(1 / (0.64 + 0.04), 13)
  expect(vendiScore(rows, { q: Infinity }).score).toBeCloseTo(1 / 0.8, 13)
})

test('more rows than numbers give the same as by all similarities', () => {
  const { data } = randomFeatures(9, 3)
  const narrow = vendiScore({ shape: [9, 3], data })
  const padded = { shape: [9, 12], data: new Float64Array(108) }
  for (let i = 0; i < 9; i++) padded.data.set(data.subarray(3 * i, 3 * i + 3), 12 * i)
  expect(vendiScore(padded).score).toBeCloseTo(narrow.score, 10)
  expect(narrow.score).toBeLessThanOrEqual(3)
})

test('warns where the score is near the number of samples', () => {
  expect(vendiScore(randomFeatures(5, 50)).warnings).toEqual([
    expect.stringMatching(/^a score of 4\.\d+ is near the number of samples, 5, which bounds it; take more samples$/),
  ])
  expect(vendiScore(randomFeatures(50, 3)).warnings).toEqual([])
})

test('refuses a row without direction, and a q that is not positive', () => {
  expect(() => vendiScore(rowsOf([1, 0], [0, 0]))).toThrow('vendiScore: row 1 is all zeros and has no direction')
  expect(() => vendiScore(rowsOf([1]), { q: 0 })).toThrow('vendiScore: q must be positive; it is 0')
})
