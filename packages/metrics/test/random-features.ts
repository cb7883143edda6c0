import { normals, randomStream } from '@dit/random'
import type { Features } from '../src/features.js'

/** Normal features, times a scale and about a mean, in float64. */
export function randomFeatures(
  count: number,
  width: number,
  { seed = 1, scale = 1, mean = 0 }: { seed?: number; scale?: number; mean?: number } = {},
): Features {
  const values = normals(randomStream(seed, 'features'), count * width)
  return { shape: [count, width], data: Float64Array.from(values, (z) => mean + scale * z) }
}

export const rowsOf = (...rows: number[][]): Features => ({
  shape: [rows.length, rows[0].length],
  data: Float64Array.from(rows.flat()),
})
