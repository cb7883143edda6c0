import { expect, test } from 'vitest'
import { takeRows } from '../src/features.js'
import { frechetDistance } from '../src/frechet-distance.js'
import { frechetDifference, frechetInterval } from '../src/frechet-interval.js'
import { deviationOf, meanOf } from '../src/mean.js'
import { featureStatistics } from '../src/moments.js'
import { studentQuantile } from '../src/student.js'
import { randomFeatures } from './random-features.js'

const [real, generated] = [randomFeatures(120, 4), randomFeatures(90, 4, { seed: 2 })]

test('the value is the distance of all samples, and the interval lies about it', () => {
  const { value, low, high, standardError } = frechetInterval(real, generated)
  expect(value).toBeCloseTo(frechetDistance(real, generated).distance, 12)
  expect((low + high) / 2).toBeCloseTo(value, 12)
  expect((high - low) / standardError).toBeCloseTo(2 * studentQuantile(0.975, 38), 12)
})

test('with one sample a block less it is the plain jackknife of the mean term, for exact statistics', () => {
  // One number a sample and a real set of variance 0 at 0: the distance is mean^2 + variance, the mean square up to 1 / N.
  const rows = randomFeatures(40, 1, { seed: 3 })
  const point = { count: null, mean: Float64Array.of(0), covariance: Float64Array.of(0) }
  const { value, standardError } = frechetInterval(point, rows, { numBlocks: 20 })
  const squares = Array.from(rows.data, (x) => x * x)
  expect(value).toBeCloseTo(meanOf(squares), 1)
  // Of 20 pairs of samples: the standard error of a mean, known to 1 / sqrt(40) of it; 0.5 is three times that.
  expect(standardError / (deviationOf(squares) / Math.sqrt(40))).toBeGreaterThan(0.5)
  expect(standardError / (deviationOf(squares) / Math.sqrt(40))).toBeLessThan(1.5)
})

test('of one distribution most of the distance is bias', () => {
  const [a, b] = [randomFeatures(600, 6), randomFeatures(600, 6, { seed: 9 })]
  const { value, bias, standardError } = frechetInterval(a, b)
  expect(bias).toBeGreaterThan(value / 2)
  expect(Math.abs(value - bias)).toBeLessThan(3 * standardError)
})

test('statistics of the real set add nothing to the error', () => {
  const exact = frechetInterval(featureStatistics(real), generated)
  const drawn = frechetInterval(real, generated)
  expect(exact.value).toBeCloseTo(drawn.value, 12)
  expect(exact.standardError).toBeLessThan(drawn.standardError)
})

test('a model does not differ from itself, and its difference from another has the other sign', () => {
  const other = randomFeatures(90, 4, { seed: 5 })
  const there = frechetDifference(real, generated, other)
  const back = frechetDifference(real, other, generated)
  expect(there.value).toBeCloseTo(-back.value, 12)
  const same = frechetDifference(
    real,
    generated,
    takeRows(
      generated,
      Array.from({ length: 90 }, (_, i) => 89 - i),
    ),
  )
  expect(same.value).toBeCloseTo(0, 12)
})

test.each([
  [0.975, 10, 2.2281],
  [0.975, 38, 2.0244],
  [0.95, 19, 1.7291],
  [0.995, 57, 2.6649],
])("Student's quantile of %d with %d degrees of freedom is %d", (share, freedom, want) => {
  expect(studentQuantile(share, freedom)).toBeCloseTo(want, 3)
})

test('refuses too few samples for the blocks, too few blocks and a level that is none', () => {
  expect(() => frechetInterval(real, randomFeatures(30, 4))).toThrow(
    'frechetInterval: 20 blocks need at least 40 samples; a generated set has 30 samples',
  )
  expect(() => frechetInterval(randomFeatures(3, 4), generated)).toThrow('the real set has 3 samples')
  expect(() => frechetInterval(real, generated, { numBlocks: 2 })).toThrow('numBlocks must be an integer of at least 3')
  expect(() => frechetDifference(real, generated, generated, { level: 1 })).toThrow(
    'frechetDifference: level must lie between 0 and 1; it is 1',
  )
  expect(() => frechetInterval(real, randomFeatures(60, 5))).toThrow('the same width')
})
