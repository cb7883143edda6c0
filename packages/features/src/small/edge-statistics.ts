import type { Plane } from './area-means.js'

/** Differences of neighbours, at pixels with neighbours on all sides. */
export const FILTERS = ['across', 'down', 'diagonal', 'other diagonal', 'spot'] as const

/** Sizes of a difference at which a pixel counts as half an edge; levels go from 0 to 1. */
export const THRESHOLDS = [0.01, 0.03, 0.1, 0.3] as const

/** What is kept of the responses of one filter: the share of edges by each threshold, and the mean size. */
export const NUM_STATISTICS = THRESHOLDS.length + 1

/**
 * Writes to `out` at `at`, for each of the first `numFilters` filters:
 *
 *   mean of d^2 / (d^2 + threshold^2), for each threshold        mean of |d|
 *
 * The lowest threshold sees noise and what compression leaves in flat places, the mean size sees blur.
 */
export function edgeStatistics(
  { height, width, data }: Plane,
  numFilters: number,
  out: Float64Array,
  at: number,
): void {
  const [t0, t1, t2, t3] = THRESHOLDS.map((threshold) => threshold * threshold)
  const count = (height - 2) * (width - 2)
  for (let filter = 0; filter < numFilters; filter++) {
    let [s0, s1, s2, s3, size] = [0, 0, 0, 0, 0]
    for (let y = 1; y < height - 1; y++) {
      const end = (y + 1) * width - 1
      for (let i = y * width + 1; i < end; i++) {
        const d = difference(data, i, width, filter)
        const square = d * d
        s0 += square / (square + t0)
        s1 += square / (square + t1)
        s2 += square / (square + t2)
        s3 += square / (square + t3)
        size += Math.abs(d)
      }
    }
    out[at++] = s0 / count
    out[at++] = s1 / count
    out[at++] = s2 / count
    out[at++] = s3 / count
    out[at++] = size / count
  }
}

/** Diagonal neighbours are farther apart; the spot has twice the weight of a difference. */
function difference(data: Float64Array, i: number, width: number, filter: number): number {
  if (filter === 0) return data[i + 1] - data[i]
  if (filter === 1) return data[i + width] - data[i]
  if (filter === 2) return (data[i + width + 1] - data[i]) / 1.5
  if (filter === 3) return (data[i + width - 1] - data[i]) / 1.5
  return (4 * data[i] - data[i - 1] - data[i + 1] - data[i - width] - data[i + width]) / 2
}
