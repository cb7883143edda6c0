import type { MeasureResult } from './evaluation.js'

/**
 * How a measure stands to its floor, in a few words: `8.1 times the floor`, `81 % of real`, `as real pictures`. Null where there is no
 * floor.
 *
 * It compares the floor with the measure of as many samples. Where the intervals meet, nothing tells the two apart.
 */
export function readingOf({ value, interval, floor, better }: MeasureResult): string | null {
  if (floor === null) return null
  const { matched, value: real, interval: around } = floor
  const low = matched + (interval === null ? 0 : interval.low - value)
  const high = matched + (interval === null ? 0 : interval.high - value)
  const [floorLow, floorHigh] = around === null ? [real, real] : [around.low, around.high]
  if (low <= floorHigh && floorLow <= high) return 'as real pictures'
  const isBeyond = better === 'less' ? high < floorLow : low > floorHigh
  if (better === 'more') return `${Math.round((100 * matched) / real)} % of real`
  if (isBeyond) return 'less than real pictures'
  // A ratio to next to nothing says nothing.
  if (!(floorLow > 0)) return 'above the floor'
  const ratio = matched / real
  return `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio).toLocaleString('en')} times the floor`
}
