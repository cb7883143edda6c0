import { expect, test } from 'vitest'
import { takeRows } from '../src/features.js'
import { frechetDistance } from '../src/frechet-distance.js'
import { frechetInfinity, subsetSizes } from '../src/frechet-infinity.js'
import { featureStatistics } from '../src/moments.js'
import { randomFeatures } from './random-features.js'

test('sizes are truncated, not rounded, as dgm-eval has them', () => {
  expect(subsetSizes(200, 15)).toEqual([20, 32, 45, 58, 71, 84, 97, 110, 122, 135, 148, 161, 174, 187, 200])
  expect(subsetSizes(50_000, 15).slice(0, 4)).toEqual([5000, 8214, 11428, 14642])
  expect(subsetSizes(15, 15)).toEqual([2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
})

test('two subsets: the line through both points', () => {
  const [real, generated] = [randomFeatures(60, 3), randomFeatures(40, 3, { seed: 2, mean: 1 })]
  const subsets = [10, 40].map((size) => Array.from({ length: size }, (_, i) => i))
  const [few, all] = subsets.map((rows) => frechetDistance(real, takeRows(generated, rows)).distance)
  const line = frechetInfinity(real, generated, { subsets })
  // Through (1/10, few) and (1/40, all)
  expect(line.slope).toBeCloseTo((few - all) / (1 / 10 - 1 / 40), 10)
  expect(line.distance).toBeCloseTo(all - line.slope / 40, 10)
  expect(line.residual).toBeLessThan(1e-12)
})

test('undoes the bias of few samples: of one distribution it is nearer to 0 than the distance itself', () => {
  const [real, generated] = [randomFeatures(2000, 6), randomFeatures(300, 6, { seed: 2 })]
  const line = frechetInfinity(featureStatistics(real), generated)
  expect(line.warnings).toEqual([])
  expect(line.sizes).toHaveLength(15)
  expect(Math.abs(line.distance)).toBeLessThan(line.distances[14] / 2)
  expect(line).toEqual(frechetInfinity(real, generated, { seed: 0 }))
  expect(line.distance).not.toBe(frechetInfinity(real, generated, { seed: 1 }).distance)
})

test('warns where the smallest subset is singular; refuses one size and one sample', () => {
  const features = randomFeatures(40, 8)
  expect(frechetInfinity(features, features).warnings[0]).toMatch(/^the smallest subset has 4 samples of 8 numbers/)
  expect(() =>
    frechetInfinity(features, features, {
      subsets: [
        [0, 1],
        [2, 3],
      ],
    }),
  ).toThrow('frechetInfinity: a line needs subsets of two sizes; they are 2, 2')
  expect(() => frechetInfinity(features, features, { numSizes: 1 })).toThrow(
    'numSizes must be an integer of at least 2',
  )
  expect(() => frechetInfinity(features, takeRows(features, [0]))).toThrow('the generated set has 1 sample')
})
