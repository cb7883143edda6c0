import { permutation, randomStream } from '@dit/random'
import { describe, expect, test } from 'vitest'
import { cmmd } from '../src/cmmd.js'
import { takeRows } from '../src/features.js'
import { kernelDistance } from '../src/kernel-distance.js'
import { squaredMmd } from '../src/squared-mmd.js'
import { randomFeatures, rowsOf } from './random-features.js'

describe('squaredMmd', () => {
  // k(x, y) = x y: 1 x 2, 3 x 5 within, (1 + 2)(3 + 5) across
  const linear = { type: 'polynomial', degree: 1, gamma: 1, coef0: 0 } as const
  const [one, two] = [rowsOf([1], [2]), rowsOf([3], [5])]

  test('by hand, with a linear kernel, by each estimator', () => {
    const by = (estimator: 'unbiased' | 'biased' | 'uStatistic') => squaredMmd(one, two, { kernel: linear, estimator })
    expect(by('unbiased')).toBe(2 + 15 - 2 * (24 / 4))
    expect(by('biased')).toBe(9 / 4 + 64 / 4 - 2 * (24 / 4))
    // Across without 1 x 3 and 2 x 5
    expect(by('uStatistic')).toBe(2 + 15 - 2 * (11 / 2))
  })

  test('the defaults are ((x.y) / D + 1)^3', () => {
    const kernel = (x: number, y: number) => (x * y + 1) ** 3
    const across = kernel(1, 3) + kernel(1, 5) + kernel(2, 3) + kernel(2, 5)
    expect(squaredMmd(one, two)).toBeCloseTo(kernel(1, 2) + kernel(3, 5) - across / 2, 10)
  })

  test('a Gaussian kernel, by hand', () => {
    const kernel = (d: number) => Math.exp(-(d ** 2) / 8)
    const across = kernel(2) + kernel(4) + kernel(1) + kernel(3)
    expect(squaredMmd(one, two, { kernel: { type: 'rbf', sigma: 2 } })).toBeCloseTo(
      kernel(1) + kernel(2) - across / 2,
      14,
    )
  })

  test('of more samples than a block equals the sum over pairs, in any order of rows', () => {
    const [a, b] = [randomFeatures(530, 2), randomFeatures(515, 2, { seed: 2 })]
    const mean = (x: typeof a, y: typeof a, isSame: boolean) => {
      let [sum, pairs] = [0, 0]
      for (let i = 0; i < x.shape[0]; i++) {
        for (let j = 0; j < y.shape[0]; j++) {
          if (isSame && i === j) continue
          sum += ((x.data[2 * i] * y.data[2 * j] + x.data[2 * i + 1] * y.data[2 * j + 1]) / 2 + 1) ** 3
          pairs++
        }
      }
      return sum / pairs
    }
    const want = mean(a, a, true) + mean(b, b, true) - 2 * mean(a, b, false)
    expect(squaredMmd(a, b)).toBeCloseTo(want, 11)
    expect(squaredMmd(takeRows(a, permutation(randomStream(0), 530)), b)).toBeCloseTo(want, 11)
  })

  test('of a set and itself: biased 0, U-statistic 0, unbiased below 0', () => {
    const set = randomFeatures(30, 4)
    expect(squaredMmd(set, set, { estimator: 'biased' })).toBeCloseTo(0, 13)
    expect(squaredMmd(set, set, { estimator: 'uStatistic' })).toBeCloseTo(0, 13)
    expect(squaredMmd(set, set)).toBeLessThan(0)
  })

  test.each([
    [{ kernel: { type: 'rbf', sigma: 0 } }, 'squaredMmd: sigma must be a positive number; it is 0'],
    [{ kernel: { type: 'polynomial', degree: 1.5 } }, 'degree must be a positive integer; it is 1.5'],
    [{ kernel: { type: 'polynomial', gamma: -1 } }, 'gamma must be positive and coef0 finite; they are -1 and 1'],
    [{ estimator: 'other' as 'biased' }, 'the estimator must be unbiased, biased or uStatistic; it is other'],
  ] as const)('refuses %j', (options, message) => {
    expect(() => squaredMmd(one, two, options)).toThrow(message)
  })

  test('refuses one sample, other widths, and a U-statistic of different sizes', () => {
    expect(() => squaredMmd(rowsOf([1]), two)).toThrow('the first set has 1 sample; the measure needs at least 2')
    expect(() => squaredMmd(rowsOf([1, 2], [3, 4]), two)).toThrow('the same width; they have 2 and 1')
    expect(() => squaredMmd(rowsOf([1], [2], [3]), two, { estimator: 'uStatistic' })).toThrow(
      'squaredMmd: the U-statistic needs sets of equal size; they have 3 and 2 samples',
    )
  })
})

describe('kernelDistance', () => {
  const [one, two] = [randomFeatures(40, 3), randomFeatures(50, 3, { seed: 2, mean: 1 })]

  test('averages the unbiased value of its subsets; std divides by their number', () => {
    const subsets = [
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
      [
        [7, 8],
        [9, 1],
      ],
    ] as const
    const values = subsets.map(([a, b]) => squaredMmd(takeRows(one, a), takeRows(two, b)))
    const got = kernelDistance(one, two, { subsets })
    expect(got.values).toEqual(values)
    expect(got.mean).toBeCloseTo((values[0] + values[1]) / 2, 14)
    expect(got.std).toBeCloseTo(Math.abs(values[0] - values[1]) / 2, 14)
  })

  test('a seed names the subsets, which have no row twice', () => {
    const options = { subsetSize: 20, numSubsets: 5 }
    const got = kernelDistance(one, two, options)
    expect(kernelDistance(one, two, options)).toEqual(got)
    expect(kernelDistance(one, two, { ...options, seed: 1 }).mean).not.toBe(got.mean)
    expect(got.warnings).toEqual([])
    // As large as the set: every subset is the set.
    const [a, b] = [
      one,
      takeRows(
        two,
        Array.from({ length: 40 }, (_, i) => i),
      ),
    ]
    const whole = kernelDistance(a, b, { subsetSize: 40, numSubsets: 3 })
    expect(whole.mean).toBeCloseTo(squaredMmd(a, b), 11)
    expect(whole.std).toBeLessThan(1e-12)
    expect(whole.warnings).toEqual([
      'subsets of 40 of 40 samples share most of them, so their standard deviation is too small; ' +
        'take subsets of at most 20, or squaredMmd of the whole sets',
    ])
  })

  test.each([
    [{}, 'subsetSize must be an integer in 2 .. 40, the size of the smaller set; it is 1000'],
    [{ subsetSize: 1 }, 'subsetSize must be an integer in 2 .. 40'],
    [{ subsetSize: 2, numSubsets: 0 }, 'numSubsets must be a positive integer; it is 0'],
    [{ subsets: [] }, 'there must be at least one subset'],
    [{ subsets: [[[0], [1]]] as const }, 'a subset must have 2 .. 40 samples; it has 1'],
  ])('refuses %j', (options, message) => {
    expect(() => kernelDistance(one, two, options)).toThrow(`kernelDistance: ${message}`)
  })
})

describe('cmmd', () => {
  test('by hand: four points on a circle, opposite within their sets', () => {
    const got = cmmd(rowsOf([1, 0], [-1, 0]), rowsOf([0, 1], [0, -1]))
    // Squared distances: 0 and 4 within, 2 across
    expect(got.distance).toBeCloseTo(1000 * (1 + Math.exp(-4 / 200) - 2 * Math.exp(-2 / 200)), 11)
    expect(got.unbiased).toBeCloseTo(1000 * (2 * Math.exp(-4 / 200) - 2 * Math.exp(-2 / 200)), 11)
    expect(got.warnings[0]).toMatch(/^of the distance 20 comes from the few samples \(2 and 2\)/)
  })

  test('keeps its digits where both means are near 1: a set and itself have exactly 0', () => {
    const set = randomFeatures(20, 8, { scale: 1e-4 })
    expect(cmmd(set, takeRows(set, permutation(randomStream(0), 20))).distance).toBeCloseTo(0, 18)
    expect(() => cmmd(set, set, { sigma: -1 })).toThrow('cmmd: sigma must be a positive number; it is -1')
  })

  test('no warning where the sets are far apart', () => {
    const set = randomFeatures(20, 2, { scale: 0.01 })
    expect(cmmd(set, randomFeatures(20, 2, { mean: 3, scale: 0.01 })).warnings).toEqual([])
  })
})
