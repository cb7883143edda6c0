import { COVARIANCE_SLACK } from './statistics.js'

/** A matrix U `[rank, width]` with U^T U = S, row-major. */
export interface Factor {
  readonly rank: number
  readonly width: number
  readonly rows: Float64Array
}

/**
 * Cholesky factor of a covariance of any rank: S = U^T U.
 *
 * The largest diagonal entry left is the next pivot, and the work ends where it is below n 2^-53 of the largest variance. So a singular
 * covariance needs nothing added to its diagonal. Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 10.3.
 *
 * @param covariance  `[width, width]`; (S + S^T) / 2 is factored
 * @throws RangeError when an eigenvalue is clearly negative, since then it is no covariance
 */
export function factorCovariance(who: string, what: string, covariance: Float64Array, width: number): Factor {
  const left = new Float64Array(width)
  for (let i = 0; i < width; i++) left[i] = covariance[i * width + i]
  const largest = left.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const negligible = width * 2 ** -53 * largest
  const order = Int32Array.from({ length: width }, (_, i) => i)
  // Row i of `lower` belongs to column i of S: its dot products with other rows give S back.
  const lower = new Float64Array(width * width)
  let rank = 0
  for (; rank < width; rank++) {
    const at = indexOfLargest(left, order, rank)
    ;[order[rank], order[at]] = [order[at], order[rank]]
    const pivot = order[rank]
    if (!(left[pivot] > negligible)) break
    const root = Math.sqrt(left[pivot])
    lower[pivot * width + rank] = root
    for (let i = rank + 1; i < width; i++) {
      const row = order[i]
      const value = between(covariance, lower, row, pivot, rank, width) / root
      lower[row * width + rank] = value
      left[row] -= value * value
    }
  }
  checkRemainder(who, what, { covariance, lower, left, order, rank, width, slack: COVARIANCE_SLACK * largest })
  const rows = new Float64Array(rank * width)
  for (let i = 0; i < width; i++) {
    for (let r = 0; r < rank; r++) rows[r * width + i] = lower[i * width + r]
  }
  return { rank, width, rows }
}

/** Entry row, column of S less what the first `rank` pivots explain. */
function between(
  covariance: Float64Array,
  lower: Float64Array,
  row: number,
  column: number,
  rank: number,
  width: number,
): number {
  let [sum, other] = [0, 0]
  const [a, b] = [row * width, column * width]
  let r = 0
  for (; r + 1 < rank; r += 2) {
    sum += lower[a + r] * lower[b + r]
    other += lower[a + r + 1] * lower[b + r + 1]
  }
  if (r < rank) sum += lower[a + r] * lower[b + r]
  return (covariance[row * width + column] + covariance[column * width + row]) / 2 - (sum + other)
}

interface Remainder {
  readonly covariance: Float64Array
  readonly lower: Float64Array
  readonly left: Float64Array
  readonly order: Int32Array
  readonly rank: number
  readonly width: number
  readonly slack: number
}

/** Of a covariance nothing is left but rounding; a negative eigenvalue leaves a negative diagonal or numbers beside it. */
function checkRemainder(who: string, what: string, remainder: Remainder): void {
  const { covariance, lower, left, order, rank, width, slack } = remainder
  for (let i = rank; i < width; i++) {
    const row = order[i]
    let worst = -left[row]
    for (let j = rank; j < i; j++)
      worst = Math.max(worst, Math.abs(between(covariance, lower, row, order[j], rank, width)))
    if (worst > slack) {
      throw new RangeError(
        `${who}: the covariance of ${what} has a clearly negative eigenvalue, so it is not a covariance (feature ${row})`,
      )
    }
  }
}

function indexOfLargest(left: Float64Array, order: Int32Array, from: number): number {
  let best = from
  for (let i = from + 1; i < order.length; i++) if (left[order[i]] > left[order[best]]) best = i
  return best
}
