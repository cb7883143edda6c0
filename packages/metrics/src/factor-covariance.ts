import type { Products } from './products.js'
import { COVARIANCE_SLACK } from './statistics.js'

/** A matrix U `[rank, width]` with U^T U = S, row-major. */
export interface Factor {
  readonly rank: number
  readonly width: number
  readonly rows: Float64Array
}

/** Pivots that are taken before the rest of the matrix is updated by one product. */
const PANEL = 64

/**
 * Cholesky factor of a covariance of any rank: S = U^T U.
 *
 * The largest diagonal entry left is the next pivot, and the work ends where it is below n 2^-53 of the largest variance. So a singular
 * covariance needs nothing added to its diagonal. Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 10.3.
 *
 * @param covariance  `[width, width]`; (S + S^T) / 2 is factored
 * @throws RangeError when an eigenvalue is clearly negative, since then it is no covariance
 */
export function factorCovariance(
  who: string,
  what: string,
  covariance: Float64Array,
  width: number,
  products: Products,
): Factor {
  let rest = restOf(covariance, width)
  const largest = rest.diagonal.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const negligible = width * 2 ** -53 * largest
  const rows = new Float64Array(width * width)
  let rank = 0
  for (;;) {
    const panel = takePivots(rest, negligible)
    for (const [r, row] of panel.rows.entries()) {
      rest.features.forEach((feature, i) => (rows[(rank + r) * width + feature] = row[i]))
    }
    rank += panel.rows.length
    rest = afterPanel(rest, panel, products)
    if (panel.rows.length < PANEL) break
  }
  checkRemainder(who, what, rest, COVARIANCE_SLACK * largest)
  return { rank, width, rows: rows.slice(0, rank * width) }
}

/** What is not explained by the pivots so far, of the features that are left. */
interface Rest {
  readonly features: readonly number[]
  /** -S `[size, size]`: negative, so that products are added to it. */
  readonly negative: Float64Array
  readonly diagonal: Float64Array
}

interface Panel {
  /** Rows of U, on the features that were left before the panel. */
  readonly rows: readonly Float64Array[]
  /** Whether a feature has been a pivot. */
  readonly isDone: Uint8Array
}

function restOf(covariance: Float64Array, width: number): Rest {
  const negative = new Float64Array(width * width)
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < width; j++)
      negative[i * width + j] = -(covariance[i * width + j] + covariance[j * width + i]) / 2
  }
  return {
    features: Array.from({ length: width }, (_, i) => i),
    negative,
    diagonal: Float64Array.from({ length: width }, (_, i) => -negative[i * width + i]),
  }
}

/** Up to PANEL rows of U, fewer where nothing is left. The diagonal is kept up to date; the rest of the matrix is not. */
function takePivots({ features: { length: size }, negative, diagonal }: Rest, negligible: number): Panel {
  const isDone = new Uint8Array(size)
  const rows: Float64Array[] = []
  while (rows.length < PANEL) {
    let pivot = -1
    for (let i = 0; i < size; i++) {
      if (isDone[i] === 0 && (pivot < 0 || diagonal[i] > diagonal[pivot])) pivot = i
    }
    if (pivot < 0 || !(diagonal[pivot] > negligible)) break
    const root = Math.sqrt(diagonal[pivot])
    const row = new Float64Array(size)
    for (let i = 0; i < size; i++) row[i] = -negative[pivot * size + i]
    for (const earlier of rows) {
      const factor = earlier[pivot]
      for (let i = 0; i < size; i++) row[i] -= factor * earlier[i]
    }
    for (let i = 0; i < size; i++) {
      // Earlier pivots are explained whole.
      row[i] = isDone[i] === 1 ? 0 : row[i] / root
      diagonal[i] -= row[i] * row[i]
    }
    row[pivot] = root
    diagonal[pivot] = 0
    isDone[pivot] = 1
    rows.push(row)
  }
  return { rows, isDone }
}

/** The matrix without the pivots of a panel and what they explain. */
function afterPanel(rest: Rest, { rows, isDone }: Panel, products: Products): Rest {
  const before = rest.features.length
  const kept = Array.from(isDone.keys()).filter((i) => isDone[i] === 0)
  const [size, k] = [kept.length, rows.length]
  const negative = new Float64Array(size * size)
  const columns = new Float64Array(size * k)
  kept.forEach((i, a) => {
    for (let b = 0; b < size; b++) negative[a * size + b] = rest.negative[i * before + kept[b]]
    for (let r = 0; r < k; r++) columns[a * k + r] = rows[r][i]
  })
  if (size > 0 && k > 0) products.syrk(columns, negative, { n: size, k })
  return {
    features: kept.map((i) => rest.features[i]),
    negative,
    diagonal: Float64Array.from(kept, (i) => rest.diagonal[i]),
  }
}

/** Of a covariance nothing is left but rounding; a negative eigenvalue leaves a negative diagonal or numbers beside it. */
function checkRemainder(who: string, what: string, { features, negative, diagonal }: Rest, slack: number): void {
  const size = features.length
  for (let i = 0; i < size; i++) {
    let worst = -diagonal[i]
    for (let j = 0; j < size; j++) if (j !== i) worst = Math.max(worst, Math.abs(negative[i * size + j]))
    if (worst > slack) {
      throw new RangeError(
        `${who}: the covariance of ${what} has a clearly negative eigenvalue, so it is not a covariance (feature ${features[i]})`,
      )
    }
  }
}
