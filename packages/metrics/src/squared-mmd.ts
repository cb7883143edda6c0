import { checkFeatures, checkWidths, type Features, type FeatureSize, takeRows } from './features.js'
import { plainProducts, type Products } from './products.js'

/** A kernel: of x.y, or of the distance. */
export type Kernel =
  | {
      /** (gamma x.y + coef0)^degree; gamma defaults to 1 / D, coef0 to 1, degree to 3: KID's */
      readonly type: 'polynomial'
      readonly degree?: number
      readonly gamma?: number
      readonly coef0?: number
    }
  | {
      /** exp(-|x - y|^2 / (2 sigma^2)) */
      readonly type: 'rbf'
      readonly sigma: number
    }

/**
 * How pairs are averaged. `unbiased` leaves out pairs of a sample with itself; `biased` takes all; `uStatistic` leaves out
 * pairs (i, i) across the sets as well, which needs sets of equal size.
 */
export type MmdEstimator = 'unbiased' | 'biased' | 'uStatistic'

/** Options of `squaredMmd`. */
export interface MmdOptions {
  /** Default: KID's polynomial. */
  readonly kernel?: Kernel
  /** Default: `unbiased`, which may be negative. */
  readonly estimator?: MmdEstimator
  readonly products?: Products
}

/**
 * Squared maximum mean discrepancy of two sets: E k(x, x') + E k(y, y') - 2 E k(x, y).
 *
 * @throws RangeError for fewer than 2 samples (1 if biased), different widths, a kernel without meaning, or `uStatistic` on sets of
 *   different sizes
 *
 * Gretton et al. 2012, "A Kernel Two-Sample Test", eq. 3 to 5 and lemma 6.
 */
export function squaredMmd(
  first: Features,
  second: Features,
  { kernel = { type: 'polynomial' }, estimator = 'unbiased', products = plainProducts }: MmdOptions = {},
): number {
  const least = estimator === 'biased' ? 1 : 2
  const one = checkFeatures('squaredMmd', 'the first set', first, least)
  const two = checkFeatures('squaredMmd', 'the second set', second, least)
  checkWidths('squaredMmd', one.width, two.width)
  if (!['unbiased', 'biased', 'uStatistic'].includes(estimator))
    throw new RangeError(`squaredMmd: the estimator must be unbiased, biased or uStatistic; it is ${estimator}`)
  if (estimator === 'uStatistic' && one.count !== two.count) {
    throw new RangeError(
      `squaredMmd: the U-statistic needs sets of equal size; they have ${one.count} and ${two.count} samples`,
    )
  }
  return mmdEstimates('squaredMmd', first, second, kernel, products)[estimator]
}

/** All estimates for checked features; one without meaning is NaN. */
export function mmdEstimates(
  who: string,
  first: Features,
  second: Features,
  kernel: Kernel,
  products: Products,
): Record<MmdEstimator, number> {
  const [m, n] = [first.shape[0], second.shape[0]]
  const evaluate = kernelOf(who, kernel, first.shape[1])
  const xx = kernelSums(first, first, evaluate, products)
  const yy = kernelSums(second, second, evaluate, products)
  const xy = kernelSums(first, second, evaluate, products)
  const cross = (2 * (xy.others + xy.same)) / (m * n)
  const within = xx.others / (m * (m - 1)) + yy.others / (n * (n - 1))
  return {
    biased: (xx.others + xx.same) / m ** 2 + (yy.others + yy.same) / n ** 2 - cross,
    unbiased: within - cross,
    uStatistic: m === n ? within - (2 * xy.others) / (m * (m - 1)) : NaN,
  }
}

/** Of a dot product and the squared lengths of both rows. A constant that cancels between the three means is left out. */
type Evaluate = (dot: number, squareX: number, squareY: number) => number

function kernelOf(who: string, kernel: Kernel, width: number): Evaluate {
  if (kernel.type === 'rbf') {
    if (!(kernel.sigma > 0 && Number.isFinite(kernel.sigma)))
      throw new RangeError(`${who}: sigma must be a positive number; it is ${kernel.sigma}`)
    const rate = -1 / (2 * kernel.sigma ** 2)
    // exp(z) - 1: means near 1 would lose the digits of their small difference.
    return (dot, squareX, squareY) => Math.expm1(rate * Math.max(squareX + squareY - 2 * dot, 0))
  }
  const { degree = 3, gamma = 1 / width, coef0 = 1 } = kernel
  if (!Number.isInteger(degree) || degree < 1)
    throw new RangeError(`${who}: degree must be a positive integer; it is ${degree}`)
  if (!(gamma > 0) || !Number.isFinite(gamma) || !Number.isFinite(coef0))
    throw new RangeError(`${who}: gamma must be positive and coef0 finite; they are ${gamma} and ${coef0}`)
  return (dot) => {
    const base = gamma * dot + coef0
    let power = base
    for (let i = 1; i < degree; i++) power *= base
    return power
  }
}

/** Rows of either set that are multiplied at once: a subset of KID of the usual size is one block. */
const BLOCK = 1024

/** Sums of the kernel over pairs of equal index (`same`) and over all others. */
function kernelSums(
  x: Features,
  y: Features,
  evaluate: Evaluate,
  products: Products,
): { same: number; others: number } {
  const [m, width] = x.shape
  const n = y.shape[0]
  const isOneSet = x === y
  let [same, others] = [0, 0]
  for (let i0 = 0; i0 < m; i0 += BLOCK) {
    const a = rowsOf(x, i0, Math.min(i0 + BLOCK, m))
    // Of one set the pairs below the diagonal come twice.
    for (let j0 = 0; j0 < (isOneSet ? i0 + 1 : n); j0 += BLOCK) {
      const b = isOneSet && j0 === i0 ? a : rowsOf(y, j0, Math.min(j0 + BLOCK, n))
      const dots = new Float64Array(a.count * b.count)
      if (a === b) products.syrk(a.rows, dots, { n: a.count, k: width })
      else products.gemm(a.rows, b.rows, dots, { m: a.count, n: b.count, k: width })
      const times = isOneSet && j0 < i0 ? 2 : 1
      for (let i = 0; i < a.count; i++) {
        let row = 0
        for (let j = 0; j < b.count; j++) {
          const isSame = i0 + i === j0 + j
          // A row has no distance from itself, whatever the rounding of its products.
          const dot = isSame && isOneSet ? a.squares[i] : dots[i * b.count + j]
          const value = evaluate(dot, a.squares[i], b.squares[j])
          if (isSame) same += value
          else row += value
        }
        others += times * row
      }
    }
  }
  return { same, others }
}

interface Rows {
  readonly count: number
  readonly rows: Float64Array
  readonly squares: Float64Array
}

function rowsOf({ shape: [, width], data }: Features, start: number, end: number): Rows {
  const rows = Float64Array.from(data.subarray(start * width, end * width))
  const squares = new Float64Array(end - start)
  for (let i = 0; i < squares.length; i++) {
    for (let j = 0; j < width; j++) squares[i] += rows[i * width + j] ** 2
  }
  return { count: end - start, rows, squares }
}

/** Checks the sizes of subsets and gives both features of one. */
export function subsetOf(features: Features, { count }: FeatureSize, rows: ArrayLike<number>, who: string): Features {
  if (rows.length < 2 || rows.length > count)
    throw new RangeError(`${who}: a subset must have 2 .. ${count} samples; it has ${rows.length}`)
  return takeRows(features, rows)
}
