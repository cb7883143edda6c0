import { permutation, randomStream } from '@dit/random'
import { describe, expect, test } from 'vitest'
import { authenticity } from '../src/authenticity.js'
import { type Features, takeRows } from '../src/features.js'
import { nearestRows } from '../src/nearest.js'
import { precisionRecall } from '../src/precision-recall.js'
import { plainProducts, type Products } from '../src/products.js'
import { randomFeatures, rowsOf } from './random-features.js'

/** Products whose float32 sums are wrong by up to their bound, in either direction. */
const wrongInSingle: Products = {
  ...plainProducts,
  gemm32(a, b, c, { m, n, k }) {
    const bound = (k * 2 ** -24) / (1 - k * 2 ** -24)
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let [sum, sizes] = [0, 0]
        for (let p = 0; p < k; p++) {
          sum += a[i * k + p] * b[j * k + p]
          sizes += Math.abs(a[i * k + p] * b[j * k + p])
        }
        c[i * n + j] = sum + ((i + j) % 2 === 0 ? 0.9 : -0.9) * bound * sizes
      }
    }
  },
}

/** Products that lose everything, as where float32 overflows. */
const lost: Products = { ...plainProducts, gemm32: (_a, _b, c) => void c.fill(NaN) }

function distanceOf(a: Features, i: number, b: Features, j: number): number {
  const width = a.shape[1]
  let sum = 0
  for (let p = 0; p < width; p++) sum += (a.data[i * width + p] - b.data[j * width + p]) ** 2
  return sum
}

describe('nearestRows', () => {
  const set = rowsOf([0], [1], [3], [3], [10])

  test('by hand: the nearest first, equals by index; a duplicate is a neighbour, the row itself is not', () => {
    const { indices, distances } = nearestRows(set, set, { k: 2 })
    expect([...indices]).toEqual([1, 2, 0, 2, 3, 1, 2, 1, 2, 3])
    expect([...distances]).toEqual([1, 3, 1, 2, 0, 2, 0, 2, 7, 7])
    expect([...nearestRows(rowsOf([9], [2]), set).indices]).toEqual([4, 1])
  })

  test.each([
    ['float64 products', plainProducts],
    ['float32 products with the largest errors allowed', wrongInSingle],
    ['products that give NaN', lost],
  ])('equals a search of all pairs, by %s', (_, products) => {
    const [queries, other] = [randomFeatures(50, 40, { mean: 4 }), randomFeatures(70, 40, { seed: 2, mean: 4 })]
    for (const [a, b] of [
      [queries, other],
      [other, other],
    ]) {
      const got = nearestRows(a, b, { k: 3, products })
      for (let i = 0; i < a.shape[0]; i++) {
        const all = Array.from({ length: b.shape[0] }, (_, j) => j).filter((j) => a !== b || i !== j)
        const sorted = all.toSorted((j, l) => distanceOf(a, i, b, j) - distanceOf(a, i, b, l))
        expect([...got.indices.subarray(3 * i, 3 * i + 3)]).toEqual(sorted.slice(0, 3))
        expect(got.distances[3 * i]).toBeCloseTo(Math.sqrt(distanceOf(a, i, b, sorted[0])), 14)
      }
    }
  })

  test('over several blocks, with rows that come nearer and nearer', () => {
    const far = { shape: [2100, 1], data: Float64Array.from({ length: 2100 }, (_, i) => 2100 - i) }
    expect([...nearestRows(rowsOf([0]), far, { k: 2 }).indices]).toEqual([2099, 2098])
    const { indices } = nearestRows(far, far)
    expect([indices[0], indices[1], indices[2099]]).toEqual([1, 0, 2098])
  })

  test.each([1e-30, 1e30])('of features near %d in float32 products', (scale) => {
    const features = randomFeatures(30, 6, { scale })
    expect(nearestRows(features, features, { products: wrongInSingle }).indices).toEqual(
      nearestRows(features, features).indices,
    )
  })

  test('refuses too few rows and other widths', () => {
    expect(() => nearestRows(set, set, { k: 5 })).toThrow(
      'nearestRows: a sample must have k = 5 neighbours; in the set it has only 4',
    )
    expect(() => nearestRows(rowsOf([1]), set, { k: 6 })).toThrow('in the set it has only 5')
    expect(() => nearestRows(set, set, { k: 1.5 })).toThrow('nearestRows: k must be a positive integer; it is 1.5')
    expect(() => nearestRows(rowsOf([1, 2]), set)).toThrow('the same width; they have 2 and 1')
  })
})

describe('precisionRecall', () => {
  // Radii of the real set at k = 1: 1, 1, 2; of the generated one: 2, 2, 6.
  const [real, generated] = [rowsOf([0], [1], [3]), rowsOf([2], [4], [10])]

  test('by hand, where distances tie with radii: < and <= differ', () => {
    const strict = precisionRecall(real, generated, { k: 1 })
    expect([...strict.radiiReal]).toEqual([1, 1, 2])
    expect([...strict.radiiGenerated]).toEqual([2, 2, 6])
    expect([...strict.neighbourhoods]).toEqual([1, 1, 0])
    expect([...strict.generatedInReal]).toEqual([1, 1, 0])
    expect([...strict.realInGenerated]).toEqual([0, 1, 1])
    expect([...strict.covered]).toEqual([0, 0, 1])
    const share = (value: number) => value / 3
    expect(strict).toMatchObject({ precision: share(2), recall: share(2), density: share(2), coverage: share(1) })
    const inclusive = precisionRecall(real, generated, { k: 1, boundary: 'inclusive' })
    // Generated 2 lies on the sphere about 1 with radius 1, real 0 on that about 2 with radius 2.
    expect([...inclusive.neighbourhoods]).toEqual([2, 1, 0])
    expect(inclusive).toMatchObject({ precision: share(2), recall: 1, density: 1, coverage: share(2) })
  })

  test('of a set and itself: all 1, but the inclusive density is (k + 1) / k', () => {
    const set = randomFeatures(40, 5)
    const all = { precision: 1, recall: 1, coverage: 1 }
    expect(precisionRecall(set, set, { k: 4 })).toMatchObject({ ...all, density: 1 })
    expect(precisionRecall(set, set, { k: 4, boundary: 'inclusive' })).toMatchObject({ ...all, density: 1.25 })
  })

  test('equals all comparisons, by float32 products with the largest errors allowed', () => {
    const [a, b] = [randomFeatures(60, 30), randomFeatures(80, 30, { seed: 2, mean: 0.2 })]
    const want = precisionRecall(a, b, { k: 3 })
    expect(precisionRecall(a, b, { k: 3, products: wrongInSingle })).toEqual(want)
    expect(precisionRecall(a, b, { k: 3, products: lost })).toEqual(want)
    for (let j = 0; j < 80; j++) {
      const times = Array.from({ length: 60 }, (_, i) => i).filter(
        (i) => Math.sqrt(distanceOf(a, i, b, j)) < want.radiiReal[i],
      )
      expect(want.neighbourhoods[j]).toBe(times.length)
    }
    expect(want.precision).toBeGreaterThan(0.2)
    expect(want.precision).toBeLessThan(1)
  })

  test('exact ties on a grid are ties by float32 products, too', () => {
    const grid = (shift: number) =>
      rowsOf(...Array.from({ length: 36 }, (_, i) => [shift + (i % 6), Math.floor(i / 6)]))
    for (const boundary of ['strict', 'inclusive'] as const) {
      const want = precisionRecall(grid(0), grid(1), { k: 2, boundary })
      expect(precisionRecall(grid(0), grid(1), { k: 2, boundary, products: wrongInSingle })).toEqual(want)
      expect(want.precision).toBe(boundary === 'strict' ? 30 / 36 : 1)
    }
  })

  test('does not depend on the order of rows', () => {
    const [a, b] = [randomFeatures(40, 5), randomFeatures(40, 5, { seed: 2 })]
    const shuffled = takeRows(a, permutation(randomStream(0), 40))
    const { precision, recall, density, coverage } = precisionRecall(a, b)
    expect(precisionRecall(shuffled, b)).toMatchObject({ precision, recall, density, coverage })
  })

  test('a copy collapses the strict radii to 0, and nothing lies within them', () => {
    const copies = rowsOf([1], [1], [1])
    expect(precisionRecall(copies, copies, { k: 2 })).toMatchObject({ precision: 0, recall: 0, coverage: 0 })
    expect(precisionRecall(copies, copies, { k: 2, boundary: 'inclusive' })).toMatchObject({ precision: 1, recall: 1 })
  })

  test('warns of few samples and of sets of different sizes', () => {
    expect(precisionRecall(real, generated, { k: 1 }).warnings).toEqual([
      'with 3 real and 3 generated samples neighbourhoods are wide, and the shares come out high; take at least 1000 of either',
    ])
    const [a, b] = [randomFeatures(1000, 1), randomFeatures(1001, 1, { seed: 2 })]
    expect(precisionRecall(a, b).warnings).toEqual([
      'the sets have 1000 and 1001 samples: precision and recall compare only with equal sizes',
    ])
    expect(precisionRecall(a, a).warnings).toEqual([])
  })

  test('refuses a k that a set cannot have, a boundary that is none, and different widths', () => {
    expect(() => precisionRecall(real, generated, { k: 3 })).toThrow(
      'precisionRecall: a sample must have k = 3 neighbours; in the real set it has only 2',
    )
    expect(() => precisionRecall(real, rowsOf([1]), { k: 1 })).toThrow('in the generated set it has none')
    expect(() => precisionRecall(real, generated, { k: 0 })).toThrow('k must be a positive integer; it is 0')
    expect(() => precisionRecall(real, generated, { k: 1, boundary: 'open' as 'strict' })).toThrow(
      'precisionRecall: boundary must be strict or inclusive; it is open',
    )
    expect(() => precisionRecall(real, rowsOf([1, 2], [2, 2]), { k: 1 })).toThrow('the same width; they have 1 and 2')
    expect(() => precisionRecall(real, rowsOf([NaN], [1]), { k: 1 })).toThrow('the generated set must be finite; row 0')
  })
})

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
