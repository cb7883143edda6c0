import { describe, expect, test } from 'vitest'
import { nearestRows } from '../src/nearest.js'
import { plainProducts } from '../src/products.js'
import { randomFeatures, rowsOf } from './random-features.js'
import { distanceOf, lost, wrongInSingle } from './wrong-products.js'

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
    // Queries of more than a block.
    const queries = { shape: [4200, 1], data: Float64Array.from({ length: 4200 }, (_, i) => i) }
    expect(Array.from(nearestRows(queries, rowsOf([-1], [2100], [9000])).indices, String).join('')).toBe(
      `${'0'.repeat(1050)}${'1'.repeat(3150)}`,
    )
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
