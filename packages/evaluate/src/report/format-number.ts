import { format } from 'd3-format'
import type { Range } from './range.js'

/** 1234567 -> '1,234,567' */
export const formatCount: (value: number) => string = format(',d')

/**
 * As many digits as a number deserves: to the second digit of its interval's half-width, or three digits without an interval.
 *
 *   12.3456 in [11, 13] -> '12.3'        0.123456 -> '0.123'        0.0000123 -> '1.23e-5'
 */
export function formatMeasure(value: number, interval: Range | null = null): string {
  if (!isNumber(value)) return 'no number'
  const half = interval === null ? 0 : Math.abs(interval.high - interval.low) / 2
  const decimals = half > 0 && Number.isFinite(half) ? 1 - Math.floor(Math.log10(half)) : decimalsOf(value)
  if (decimals > MAX_DECIMALS && value !== 0 && Math.abs(value) < 1e-4) return format('.2~e')(value)
  return format(`,.${Math.min(MAX_DECIMALS, Math.max(0, decimals))}f`)(value)
}

/** '11.2 to 13.4', both ends with the digits that their distance deserves. */
export function formatInterval(interval: Range): string {
  return `${formatMeasure(interval.low, interval)} to ${formatMeasure(interval.high, interval)}`
}

/** 0.0342 -> '3.4 %' */
export function formatShare(share: number): string {
  return isNumber(share) ? `${format('.1f')(100 * share)} %` : 'no number'
}

/** 0.95 -> '95 %' */
export function formatPercent(level: number): string {
  return `${Number((100 * level).toPrecision(4))} %`
}

/** Whether it is one: JSON has null in place of those that are not finite. */
export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

/** Beyond these, a power of ten is read more easily. */
const MAX_DECIMALS = 6

function decimalsOf(value: number): number {
  return value === 0 ? 0 : 2 - Math.floor(Math.log10(Math.abs(value)))
}
