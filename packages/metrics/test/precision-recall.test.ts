import { permutation, randomStream } from '@dit/random'
import { describe, expect, test } from 'vitest'
import { takeRows } from '../src/features.js'
import { precisionRecall } from '../src/precision-recall.js'
import { randomFeatures, rowsOf } from './random-features.js'
import { distanceOf, lost, wrongInSingle } from './wrong-products.js'

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
