/** Mean and covariance of features: all that the Fréchet distance needs of a set. */
export interface Statistics {
  /** Number of samples, or null where a file does not say. */
  readonly count: number | null
  /** `[D]` */
  readonly mean: Float64Array
  /** `[D, D]`, row-major, divided by count - 1 */
  readonly covariance: Float64Array
}

/**
 * Width D of statistics.
 *
 * @throws RangeError unless the covariance is `[D, D]`, all numbers are finite, no variance is negative, the covariance is symmetric up
 *   to rounding, and `count` is null or at least 2
 */
export function checkStatistics(who: string, what: string, { count, mean, covariance }: Statistics): number {
  const width = mean.length
  if (width === 0 || covariance.length !== width * width) {
    throw new RangeError(
      `${who}: the covariance of ${what} must have the square of its mean's length; they have ${covariance.length} and ${width}`,
    )
  }
  if (count !== null && !(Number.isInteger(count) && count >= 2))
    throw new RangeError(`${who}: a covariance needs at least 2 samples; ${what} has ${count}`)
  if (!mean.every(Number.isFinite) || !covariance.every(Number.isFinite))
    throw new RangeError(`${who}: the statistics of ${what} must be finite`)
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < i; j++) checkPair(who, what, covariance, i, j, width)
  }
  return width
}

/**
 * How far a matrix may be from a covariance, relative to its largest variance: rounding the statistics of 2048 numbers to float32 moves an
 * eigenvalue by 2048 2^-25 = 6e-5 of that at most.
 */
export const COVARIANCE_SLACK = 1e-4

function checkPair(who: string, what: string, covariance: Float64Array, i: number, j: number, width: number): void {
  const [lower, upper] = [covariance[i * width + j], covariance[j * width + i]]
  const size = Math.max(Math.abs(covariance[i * width + i]), Math.abs(covariance[j * width + j]))
  if (Math.abs(lower - upper) > COVARIANCE_SLACK * Math.max(Math.abs(lower), Math.abs(upper), size)) {
    throw new RangeError(
      `${who}: the covariance of ${what} must be symmetric; entries ${i}, ${j} and ${j}, ${i} are ${lower} and ${upper}`,
    )
  }
}
