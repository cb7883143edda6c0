import { expect, test } from 'vitest'
import { edgeStatistics, FILTERS, NUM_STATISTICS, THRESHOLDS } from '../../src/small/edge-statistics.js'

function statistics(rows: readonly (readonly number[])[]): number[][] {
  const out = new Float64Array(FILTERS.length * NUM_STATISTICS)
  const plane = { height: rows.length, width: rows[0].length, data: Float64Array.from(rows.flat()) }
  edgeStatistics(plane, FILTERS.length, out, 0)
  return FILTERS.map((_, f) => [...out.subarray(f * NUM_STATISTICS, (f + 1) * NUM_STATISTICS)])
}

test('a slope, by hand: each filter has one size everywhere', () => {
  // Levels x / 10 + y / 5: across 0.1, down 0.2, diagonals (0.2 ± 0.1) / 1.5, no spots.
  const rows = [0, 1, 2, 3].map((y) => [0, 1, 2, 3, 4].map((x) => x / 10 + y / 5))
  const sizes = [0.1, 0.2, 0.2, 0.1 / 1.5, 0]
  statistics(rows).forEach((found, f) => {
    const d = sizes[f]
    const expected = [...THRESHOLDS.map((t) => (d * d) / (d * d + t * t)), d]
    found.forEach((value, s) => expect(value).toBeCloseTo(expected[s], 12))
  })
})

test('a spot in the middle: full height by its own filter', () => {
  const found = statistics([
    [0, 0, 0],
    [0, 1, 0],
    [0, 0, 0],
  ])
  expect(found.map((list) => list[NUM_STATISTICS - 1])).toEqual([1, 1, 1 / 1.5, 1 / 1.5, 2])
})

test('nothing is written beside the filters that are asked for', () => {
  const out = new Float64Array(3 * NUM_STATISTICS).fill(7)
  const data = Float64Array.from({ length: 16 }, (_, i) => i / 20)
  edgeStatistics({ height: 4, width: 4, data }, 1, out, NUM_STATISTICS)
  expect([...out.subarray(0, NUM_STATISTICS)].every((value) => value === 7)).toBe(true)
  expect([...out.subarray(NUM_STATISTICS, 2 * NUM_STATISTICS)].every((value) => value !== 7)).toBe(true)
  expect([...out.subarray(2 * NUM_STATISTICS)].every((value) => value === 7)).toBe(true)
})
