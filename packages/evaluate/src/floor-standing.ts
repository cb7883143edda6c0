import type { MeasureResult } from './evaluation.js'

/** How a measure stands to its floor: no different from it, short of it, or better than it. */
export type FloorStanding = 'at' | 'short' | 'beyond'

/**
 * Compares the floor with the measure of as many samples, whose interval is taken to be as wide as that of all. Intervals that meet tell
 * nothing apart, which finds fewer differences than there are, never more.
 *
 * @returns null where there is no floor, or a number is missing
 */
export function floorStanding({ value, interval, floor, better }: MeasureResult): FloorStanding | null {
  if (floor === null || ![value, floor.value, floor.matched].every(Number.isFinite)) return null
  const low = floor.matched + (interval === null ? 0 : interval.low - value)
  const high = floor.matched + (interval === null ? 0 : interval.high - value)
  const [floorLow, floorHigh] = floorEnds(floor)
  if (low <= floorHigh && floorLow <= high) return 'at'
  return (better === 'less' ? high < floorLow : low > floorHigh) ? 'beyond' : 'short'
}

/** Whether a ratio to a floor says something: a ratio to next to nothing does not. */
export function hasRatio(floor: NonNullable<MeasureResult['floor']>): boolean {
  return floorEnds(floor)[0] > 0
}

function floorEnds({ value, interval }: NonNullable<MeasureResult['floor']>): [low: number, high: number] {
  return interval === null ? [value, value] : [interval.low, interval.high]
}
