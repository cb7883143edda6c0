import { integers, permutation, randomStream } from '@dit/random'
import { describe, expect, test, vi } from 'vitest'
import { type Features, takeRows } from '../src/features.js'
import { addFeatures, emptyMoments, featureStatistics, mergeMoments, statisticsOf } from '../src/moments.js'
import { plainProducts } from '../src/products.js'
import { randomFeatures, rowsOf } from './random-features.js'

const largestDifference = (a: Float64Array, b: Float64Array) =>
  a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0)

test('mean and covariance of three samples, by hand; the divisor is N - 1', () => {
  const { count, mean, covariance } = featureStatistics(rowsOf([0, 0], [2, 1], [4, 5]))
  expect(count).toBe(3)
  expect([...mean]).toEqual([2, 2])
  expect(covariance).toEqual(Float64Array.of(4, 5, 5, 7))
})

describe('however the samples are divided, the moments are those of the whole', () => {
  const features = randomFeatures(97, 5, { mean: 3 })
  const whole = featureStatistics(features)

  test.each(Array.from({ length: 12 }, (_, seed) => seed))('division %i', (seed) => {
    const cuts = [0, ...integers(randomStream(seed, 'cuts'), 98, 6).toSorted(), 97]
    const parts = cuts.slice(1).map((end, i) => {
      const part = emptyMoments(5)
      addFeatures(part, slice(features, cuts[i], end))
      return part
    })
    const merged = emptyMoments(5)
    for (const i of permutation(randomStream(seed, 'order'), parts.length)) mergeMoments(merged, parts[i])
    const streamed = emptyMoments(5)
    for (let i = 1; i < cuts.length; i++) addFeatures(streamed, slice(features, cuts[i - 1], cuts[i]))
    for (const moments of [merged, streamed]) {
      const { count, mean, covariance } = statisticsOf(moments)
      expect(count).toBe(97)
      // float64, 97 terms near 1
      expect(largestDifference(mean, whole.mean)).toBeLessThan(1e-14)
      expect(largestDifference(covariance, whole.covariance)).toBeLessThan(1e-14)
    }
  })

  test('rows in another order, one at a time', () => {
    const shuffled = takeRows(features, permutation(randomStream(0), 97))
    const moments = emptyMoments(5)
    for (let i = 0; i < 97; i++) addFeatures(moments, slice(shuffled, i, i + 1))
    expect(largestDifference(statisticsOf(moments).covariance, whole.covariance)).toBeLessThan(1e-14)
  })
})

test('means of a million deviations cost no digits of the covariance', () => {
  // Integers and a power of two: the shifted features are exact.
  const data = Float64Array.from(integers(randomStream(4), 1000, 300))
  const near = featureStatistics({ shape: [100, 3], data })
  const far = featureStatistics({ shape: [100, 3], data: data.map((x) => x + 2 ** 30) })
  expect(largestDifference(near.covariance, far.covariance)).toBeLessThan(1e-9)
  expect(near.covariance[0]).toBeGreaterThan(1e4)
})

test('more samples than a block, and float32 accumulated in float64', () => {
  // Of this width a block has 256 rows.
  const [count, width] = [300, 20_000]
  const data = new Float32Array(count * width).fill(0.1)
  const syrk = vi.fn<() => void>()
  const moments = { width, count: 0, mean: new Float64Array(width), scatter: new Float64Array(0) }
  addFeatures(moments, { shape: [count, width], data }, { products: { ...plainProducts, syrk } })
  expect(syrk).toHaveBeenCalledTimes(2)
  expect(moments.mean.every((value) => value === Math.fround(0.1))).toBe(true)
})

test('moments are plain data: a worker may post them', () => {
  const moments = emptyMoments(2)
  addFeatures(moments, rowsOf([1, 2], [3, 5]))
  expect(structuredClone(moments)).toEqual(moments)
})

test('refuse too few samples, other widths, and numbers that are not finite', () => {
  expect(() => featureStatistics(rowsOf([1, 2]))).toThrow(
    'featureStatistics: features has 1 sample; the measure needs at least 2',
  )
  expect(() => statisticsOf(emptyMoments(2))).toThrow(
    'statisticsOf: a covariance needs at least 2 samples; there are 0',
  )
  expect(() => emptyMoments(0)).toThrow('emptyMoments: the width must be a positive integer; it is 0')
  expect(() => mergeMoments(emptyMoments(2), emptyMoments(3))).toThrow(
    'mergeMoments: both sets must have the same width; they have 2 and 3',
  )
  expect(() => addFeatures(emptyMoments(2), rowsOf([1]))).toThrow('addFeatures: both sets must have the same width')
  expect(() => addFeatures(emptyMoments(2), rowsOf([1, 2], [3, -Infinity]))).toThrow(
    'addFeatures: features must be finite; row 1, column 1 is -Infinity',
  )
  expect(() => addFeatures(emptyMoments(2), { shape: [2, 2], data: new Float64Array(3) })).toThrow(
    'addFeatures: features [2, 2] needs 4 numbers and has 3',
  )
  expect(() => addFeatures(emptyMoments(2), { shape: [4], data: new Float64Array(4) })).toThrow(
    'addFeatures: features must have shape [N, D]; it has [4]',
  )
  expect(() => addFeatures(emptyMoments(2), { shape: [1, 2], data: [1, 2] as unknown as Float64Array })).toThrow(
    'addFeatures: the data of features must be a Float32Array or a Float64Array',
  )
  expect(() => takeRows(rowsOf([1]), [1])).toThrow('takeRows: rows must be integers in 0 .. 0; entry 0 is 1')
})

function slice({ shape: [, width], data }: Features, start: number, end: number): Features {
  return { shape: [end - start, width], data: data.subarray(start * width, end * width) }
}
