import { reduceToBand } from './band.js'
import { plainProducts, type Products } from './products.js'
import { type Tridiagonal, tridiagonalOfBand } from './tridiagonal.js'

/**
 * Eigenvalues of a symmetric matrix, ascending, to about n 2^-53 times the largest.
 *
 * Products reduce it to a band, reflections make the band tridiagonal, and implicit QL steps make that diagonal. Golub & Van Loan
 * 2013, "Matrix Computations", section 8.3. Only the lower triangle of `matrix` is read.
 *
 * @param matrix  `[n, n]`, row-major; unchanged
 * @throws RangeError unless it holds n * n finite numbers
 */
export function symmetricEigenvalues(
  matrix: Float64Array,
  n: number,
  { products = plainProducts }: { readonly products?: Products } = {},
): Float64Array {
  if (matrix.length !== n * n) {
    throw new RangeError(
      `symmetricEigenvalues: the matrix must have ${n * n} numbers, [${n}, ${n}]; it has ${matrix.length}`,
    )
  }
  let largest = 0
  for (let i = 0; i < matrix.length; i++) {
    if (!Number.isFinite(matrix[i]))
      throw new RangeError(`symmetricEigenvalues: entry ${i} must be finite; it is ${matrix[i]}`)
    largest = Math.max(largest, Math.abs(matrix[i]))
  }
  if (largest === 0) return new Float64Array(n)
  // By a power of two, so that no square of an entry overflows or vanishes.
  const scale = 2 ** Math.floor(Math.log2(largest))
  const scaled = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) scaled[i * n + j] = scaled[j * n + i] = matrix[i * n + j] / scale
  }
  const tridiagonal = tridiagonalOfBand(reduceToBand(scaled, n, products), n)
  qlSteps(tridiagonal)
  return tridiagonal.diagonal.toSorted().map((value) => value * scale)
}

/** Makes a tridiagonal matrix diagonal. */
function qlSteps({ diagonal, beside }: Tridiagonal): void {
  for (let k = 0; k < diagonal.length; k++) {
    for (let step = 0; ; step++) {
      const end = blockEnd(diagonal, beside, k)
      if (end === k) break
      if (step === 60) throw new Error('symmetricEigenvalues: no convergence after 60 steps; please report this matrix')
      qlStep(diagonal, beside, k, end)
    }
  }
}

/**
 * Last row of the block that begins at row k: what connects it to the next row is negligible.
 *
 * Entries are compared with their neighbours on the diagonal first, so that a small block beside a large one keeps its digits. Within
 * a block they are compared with its largest entry, since a step rounds to 2^-53 of that: in a singular matrix many diagonal
 * entries are such rounding, and no step makes the entries between them smaller.
 */
function blockEnd(d: Float64Array, e: Float64Array, k: number): number {
  let end = k
  let largest = Math.abs(d[k])
  while (end < d.length - 1 && !isNegligible(e[end], Math.abs(d[end]) + Math.abs(d[end + 1]))) {
    largest = Math.max(largest, Math.abs(e[end]), Math.abs(d[end + 1]))
    end++
  }
  for (let i = k; i < end; i++) {
    if (isNegligible(e[i], largest)) return i
  }
  return end
}

/** Compares an entry beside the diagonal of a matrix scaled to about 1. Below 2^-500 its square would lose digits or vanish. */
function isNegligible(value: number, size: number): boolean {
  return Math.abs(value) <= Math.max(Number.EPSILON * size, 2 ** -500)
}

/** One implicit QL step with Wilkinson's shift on rows k .. end. */
function qlStep(d: Float64Array, e: Float64Array, k: number, end: number): void {
  const half = (d[k + 1] - d[k]) / (2 * e[k])
  const root = Math.hypot(half, 1)
  let g = d[end] - d[k] + e[k] / (half + (half < 0 ? -root : root))
  let [sine, cosine, shift] = [1, 1, 0]
  for (let i = end - 1; i >= k; i--) {
    const f = sine * e[i]
    const b = cosine * e[i]
    const r = Math.sqrt(f * f + g * g)
    e[i + 1] = r
    if (r === 0) {
      // The matrix falls apart here: the next step works on what is left.
      d[i + 1] -= shift
      e[end] = 0
      return
    }
    sine = f / r
    cosine = g / r
    g = d[i + 1] - shift
    const t = (d[i] - g) * sine + 2 * cosine * b
    shift = sine * t
    d[i + 1] = g + shift
    g = cosine * t - b
  }
  d[k] -= shift
  e[k] = g
  e[end] = 0
}
