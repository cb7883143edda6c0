import { studentQuantile } from './student-t.js'

/** An interval between two numbers. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** A line by ordinary least squares. */
export interface Line {
  readonly slope: number
  readonly intercept: number
  readonly count: number
  readonly meanX: number
  /** Sum of squared distances of x from their mean. */
  readonly spread: number
  /** Standard deviation of the points about the line, or null if no degree of freedom is left. */
  readonly deviation: number | null
  readonly slopeError: number | null
}

/** Least-squares line through points whose x are not all equal. */
export function fitLine(x: readonly number[], y: readonly number[]): Line {
  const count = x.length
  const [meanX, meanY] = [mean(x), mean(y)]
  let [spread, product] = [0, 0]
  for (let i = 0; i < count; i++) {
    spread += (x[i] - meanX) ** 2
    product += (x[i] - meanX) * (y[i] - meanY)
  }
  const slope = product / spread
  const squares = x.reduce((sum, at, i) => sum + (y[i] - meanY - slope * (at - meanX)) ** 2, 0)
  const deviation = count > 2 ? Math.sqrt(squares / (count - 2)) : null
  const slopeError = deviation === null ? null : deviation / Math.sqrt(spread)
  return { slope, intercept: meanY - slope * meanX, count, meanX, spread, deviation, slopeError }
}

/** Student-t interval of a line's slope, or null if no degree of freedom is left. */
export function slopeInterval({ slope, slopeError, count }: Line, level: number): Interval | null {
  if (slopeError === null) return null
  const half = studentQuantile((1 + level) / 2, count - 2) * slopeError
  return { low: slope - half, high: slope + half }
}

/** The line's value at `x`, and the interval in which a new point lies; null if no degree of freedom is left. */
export function predictOnLine(line: Line, x: number, level: number): { value: number; interval: Interval | null } {
  const { slope, intercept, count, meanX, spread, deviation } = line
  const value = intercept + slope * x
  if (deviation === null) return { value, interval: null }
  const error = deviation * Math.sqrt(1 + 1 / count + (x - meanX) ** 2 / spread)
  const half = studentQuantile((1 + level) / 2, count - 2) * error
  return { value, interval: { low: value - half, high: value + half } }
}

/**
 * Pearson's correlation of two lists.
 *
 * @throws RangeError for lists of different lengths, of fewer than 2 numbers, or of equal numbers
 */
export function correlation(x: readonly number[], y: readonly number[]): number {
  if (x.length !== y.length || x.length < 2)
    throw new RangeError(
      `correlation: both lists need the same length, at least 2; they have ${x.length} and ${y.length}`,
    )
  const [meanX, meanY] = [mean(x), mean(y)]
  let [xx, xy, yy] = [0, 0, 0]
  for (let i = 0; i < x.length; i++) {
    xx += (x[i] - meanX) ** 2
    xy += (x[i] - meanX) * (y[i] - meanY)
    yy += (y[i] - meanY) ** 2
  }
  if (!(xx > 0 && yy > 0))
    throw new RangeError('correlation: the numbers of a list must differ and be finite; a constant has none')
  return xy / Math.sqrt(xx * yy)
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
