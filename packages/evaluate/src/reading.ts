import type { MeasureResult } from './evaluation.js'
import { floorStanding, hasRatio } from './floor-standing.js'

/**
 * How a measure stands to its floor, in a few words: `8.1 times the floor`, `81 % of real`, `as real pictures`. Null where there is no
 * floor.
 *
 * It compares the floor with the measure of as many samples. Where the intervals meet, nothing tells the two apart.
 */
export function readingOf(result: MeasureResult): string | null {
  const { floor, better, measure } = result
  const standing = floorStanding(result)
  if (floor === null || standing === null) return null
  if (standing === 'at') return 'as real pictures'
  if (measure === 'authenticity' && standing === 'beyond') return 'farther than real pictures'
  const ratio = floor.matched / floor.value
  if (better === 'more') return `${Math.round(100 * ratio)} % of real`
  if (standing === 'beyond') return 'less than real pictures'
  if (!hasRatio(floor)) return 'above the floor'
  return `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio).toLocaleString('en')} times the floor`
}
