import { permutation, randomStream } from '@dit/random'
import { describe, expect, test } from 'vitest'
import { type Features, takeRows } from '../src/features.js'
import { frechetDistance } from '../src/frechet-distance.js'
import { featureStatistics } from '../src/moments.js'
import type { Statistics } from '../src/statistics.js'
import { randomFeatures, rowsOf } from './random-features.js'

const gaussian = (mean: number[], covariance: number[], count: number | null = null): Statistics => ({
  count,
  mean: Float64Array.from(mean),
  covariance: Float64Array.from(covariance),
})

describe('values worked by hand', () => {
  test('in one dimension: (m1 - m2)^2 + (s1 - s2)^2', () => {
    // Means 1 and 5, variances 2 and 8
    expect(frechetDistance(rowsOf([0], [2]), rowsOf([3], [7])).distance).toBeCloseTo(16 + 2, 14)
    expect(frechetDistance(gaussian([0], [4]), gaussian([3], [25])).distance).toBeCloseTo(9 + 9, 14)
  })

  test('of diagonal covariances: the sum over dimensions', () => {
    const parts = frechetDistance(gaussian([1, 0], [9, 0, 0, 1]), gaussian([0, 2], [4, 0, 0, 16]))
    expect(parts).toMatchObject({ meanTerm: 5, trace1: 10, trace2: 20 })
    expect(parts.traceSqrt).toBeCloseTo(6 + 4, 13)
    expect(parts.distance).toBeCloseTo(5 + 1 + 9, 13)
  })

  test('of a covariance and none: its trace', () => {
    expect(frechetDistance(gaussian([0, 0], [3, 1, 1, 2]), gaussian([0, 0], [0, 0, 0, 0])).distance).toBe(5)
  })
})

const shifted = ({ shape, data }: Features, by: number) => ({ shape, data: data.map((x) => x + by) as Float64Array })

describe.each([
  ['more samples than dimensions', 80],
  ['fewer samples than dimensions', 8],
])('laws, with %s', (_, count) => {
  const width = 20
  const one = randomFeatures(count, width)
  const two = randomFeatures(count + 3, width, { seed: 2, scale: 2, mean: 1 })

  test('a set has distance 0 from itself, in any order', () => {
    const order = permutation(randomStream(0), count)
    // Of a singular covariance half the digits of vanishing eigenvalues are lost.
    expect(Math.abs(frechetDistance(one, takeRows(one, order)).distance)).toBeLessThan(count > width ? 1e-12 : 1e-6)
  })

  test('it is symmetric', () => {
    expect(frechetDistance(one, two).distance).toBeCloseTo(frechetDistance(two, one).distance, 10)
  })

  test('a shift adds its squared length', () => {
    expect(frechetDistance(one, shifted(one, 0.5)).distance).toBeCloseTo(0.25 * width, count > width ? 11 : 6)
  })

  test('it follows the square of a scale, far from 1, too', () => {
    const { distance } = frechetDistance(one, two)
    for (const scale of [2 ** -300, 2 ** 300]) {
      const scaled = [one, two].map(({ shape, data }) => ({ shape, data: data.map((x) => x * scale) as Float64Array }))
      expect(frechetDistance(scaled[0], scaled[1]).distance / scale / scale).toBeCloseTo(distance, 8)
    }
  })

  test('features and their statistics give the same', () => {
    const want = frechetDistance(one, two).distance
    const [a, b] = [featureStatistics(one), featureStatistics(two)]
    for (const got of [frechetDistance(a, b), frechetDistance(one, b), frechetDistance(a, two)])
      expect(got.distance).toBeCloseTo(want, count > width ? 11 : 5)
  })
})

test('a constant feature and tiny variances need nothing on the diagonal', () => {
  const tiny = gaussian([0, 0], [1e-20, 0, 0, 0])
  expect(frechetDistance(tiny, gaussian([0, 0], [4e-20, 0, 0, 0])).distance / 1e-20).toBeCloseTo(1, 12)
})

// Most eigenvalues are 0 then, and differ from it by rounding.
test('numbers that all come eight times give eight times the distance', () => {
  const count = 100
  const one = randomFeatures(count, 20)
  const two = randomFeatures(count + 3, 20, { seed: 2, scale: 2, mean: 1 })
  const { distance, trace2 } = frechetDistance(one, two)
  const { distance: got } = frechetDistance(repeated(one, 8), repeated(two, 8))
  // The root of a rounding of 2^-53 is 1e-8, for each of the eigenvalues that should be 0.
  expect(Math.abs(got / 8 - distance)).toBeLessThan(count * 1e-8 * trace2)
})

/** Each number of each sample `times` times. */
function repeated({ shape: [count, width], data }: Features, times: number): Features {
  return {
    shape: [count, width * times],
    data: Float64Array.from({ length: count * width * times }, (_, at) => data[Math.floor(at / times)]),
  }
}

test('warns where a set has no more samples than dimensions, and only there', () => {
  const few = randomFeatures(8, 8)
  const enough = randomFeatures(9, 8, { seed: 2 })
  expect(frechetDistance(few, enough).warnings).toEqual([
    'the first set has 8 samples of 8 numbers, so its covariance is singular and the distance is biased upwards; ' +
      'take more than 8, and the same number in both sets',
  ])
  expect(frechetDistance(enough, enough).warnings).toEqual([])
  expect(frechetDistance(featureStatistics(few), featureStatistics(enough)).warnings).toHaveLength(1)
})

describe('refuses', () => {
  const sound = randomFeatures(6, 2)

  test('too few samples, different widths, NaN', () => {
    expect(() => frechetDistance(sound, rowsOf([1, 2]))).toThrow(
      'frechetDistance: the second set has 1 sample; the measure needs at least 2',
    )
    expect(() => frechetDistance(rowsOf([1], [2]), sound)).toThrow(
      'frechetDistance: both sets must have the same width; they have 1 and 2',
    )
    expect(() => frechetDistance(rowsOf([1, 2], [3, NaN]), sound)).toThrow(
      'frechetDistance: the first set must be finite; row 1, column 1 is NaN',
    )
  })

  test.each([
    ['another size than the mean', gaussian([0, 0], [1, 0, 0]), 'must have the square of its mean'],
    ['NaN', gaussian([0, NaN], [1, 0, 0, 1]), 'the statistics of the first set must be finite'],
    ['asymmetry', gaussian([0, 0], [1, 0.5, 0.1, 1]), 'must be symmetric; entries 1, 0 and 0, 1 are 0.1 and 0.5'],
    ['a negative variance', gaussian([0, 0], [1, 0, 0, -0.5]), 'has a clearly negative eigenvalue'],
    ['a negative eigenvalue', gaussian([0, 0], [1, 2, 2, 1]), 'has a clearly negative eigenvalue'],
    ['one beside zeros', gaussian([0, 0, 0], [5, 0, 0, 0, 0, 1, 0, 1, 0]), 'has a clearly negative eigenvalue'],
    ['one sample', gaussian([0, 0], [1, 0, 0, 1], 1), 'a covariance needs at least 2 samples; the first set has 1'],
  ])('a covariance with %s', (_, wrong, message) => {
    expect(() => frechetDistance(wrong, featureStatistics(randomFeatures(6, wrong.mean.length)))).toThrow(message)
  })

  test('not the rounding of float32', () => {
    const { mean, covariance } = featureStatistics(randomFeatures(5, 20))
    const rounded = { count: 5, mean, covariance: Float64Array.from(Float32Array.from(covariance)) }
    // float32 leaves eigenvalues near 1e-8 that should be 0, and their roots count: 6e-6 in all.
    expect(Math.abs(frechetDistance(rounded, rounded).distance)).toBeLessThan(5e-5)
  })
})
