import { describe, expect, test } from 'vitest'
import { authenticity } from '../src/authenticity.js'
import { randomFeatures, rowsOf } from './random-features.js'

describe('authenticity', () => {
  test('by hand: farther from the nearest training sample than that is from its own nearest other', () => {
    // Nearest others of the training set: 2, 2, 8.
    const got = authenticity(rowsOf([0], [2], [10]), rowsOf([0], [-3], [4], [15], [19]))
    expect([...got.nearest]).toEqual([0, 0, 1, 2, 2])
    expect([...got.authentic]).toEqual([0, 1, 0, 0, 1])
    expect(got.share).toBe(2 / 5)
    expect(got.warnings).toEqual([
      'there are fewer training samples (3) than generated ones (5); is the training set whole?',
    ])
  })

  test('a duplicate in the training set is a nearest other at distance 0', () => {
    expect(authenticity(rowsOf([0], [5], [5], [5]), rowsOf([5.5])).share).toBe(1)
    expect(authenticity(rowsOf([0], [5], [5], [5]), rowsOf([5])).share).toBe(0)
  })

  test('of the training set itself nothing is authentic; of its distribution about half is', () => {
    const training = randomFeatures(400, 6)
    expect(authenticity(training, training).share).toBe(0)
    const { share, warnings } = authenticity(training, randomFeatures(300, 6, { seed: 2 }))
    expect(share).toBeGreaterThan(0.4)
    expect(share).toBeLessThan(0.7)
    expect(warnings).toEqual([])
  })

  test('refuses one training sample and no generated ones', () => {
    expect(() => authenticity(rowsOf([1]), rowsOf([1]))).toThrow(
      'authenticity: the training set has 1 sample; the measure needs at least 2',
    )
    expect(() => authenticity(rowsOf([1], [2]), { shape: [0, 1], data: new Float64Array(0) })).toThrow(
      'authenticity: the generated set has 0 samples; the measure needs at least 1',
    )
  })
})
