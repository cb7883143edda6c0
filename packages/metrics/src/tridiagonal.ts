import { type Band, BANDWIDTH } from './band.js'
import { reflection } from './reflection.js'

/** A symmetric tridiagonal matrix. */
export interface Tridiagonal {
  /** `[n]` */
  readonly diagonal: Float64Array
  /** `[n]`: entry i stands between diagonal entries i and i + 1; the last is 0. */
  readonly beside: Float64Array
}

/**
 * A tridiagonal matrix that is orthogonally similar to a band, which is overwritten.
 *
 * A reflection takes all but one entry of a column out of the band, and thereby fills a block further down. Reflections of the
 * blocks' first columns chase this down the diagonal; the other columns are done when their turn comes.
 *
 * Bischof, Lang & Sun 2000, "A Framework for Symmetric Band Reduction", section 4; Lang 1993, "A Parallel Algorithm for Reducing
 * Symmetric Banded Matrices to Tridiagonal Form".
 */
export function tridiagonalOfBand(band: Band, n: number): Tridiagonal {
  const { data, stride } = band
  const [diagonal, beside] = [new Float64Array(n), new Float64Array(n)]
  const [v, product] = [new Float64Array(BANDWIDTH), new Float64Array(BANDWIDTH)]
  for (let column = 0; column < n; column++) {
    diagonal[column] = data[column * stride + column + stride]
    let from = column + 1
    let size = Math.min(BANDWIDTH, n - from)
    if (size === 0) break
    let { alpha, beta } = columnReflection(band, from, column, size, v)
    beside[column] = alpha
    while (size > 0) {
      reflectDiagonalBlock(band, from, size, v, beta, product)
      const below = from + size
      const height = Math.min(BANDWIDTH, n - below)
      if (height === 0) break
      reflectRows(band, below, height, from, size, v, beta)
      ;({ alpha, beta } = columnReflection(band, below, from, height, v))
      data[below * stride + from + stride] = alpha
      for (let i = 1; i < height; i++) data[(below + i) * stride + from + stride] = 0
      reflectColumns(band, below, height, from + 1, size - 1, v, beta, product)
      ;[from, size] = [below, height]
    }
  }
  return { diagonal, beside }
}

/** Reflection of the entries of a column from row `from` on; its vector goes to v. */
function columnReflection({ data, stride }: Band, from: number, column: number, size: number, v: Float64Array) {
  for (let i = 0; i < size; i++) v[i] = data[(from + i) * stride + column + stride]
  return reflection(v, v, 0, size)
}

/** Applies 1 - beta v v^T from both sides to the block on the diagonal that begins at `from`. */
function reflectDiagonalBlock(
  { data, stride }: Band,
  from: number,
  size: number,
  v: Float64Array,
  beta: number,
  w: Float64Array,
): void {
  w.fill(0)
  for (let i = 0; i < size; i++) {
    const row = (from + i) * stride + from + stride
    const vi = v[i]
    let sum = 0
    for (let j = 0; j < i; j++) {
      const value = data[row + j]
      sum += value * v[j]
      w[j] += value * vi
    }
    w[i] += sum + data[row + i] * vi
  }
  let dot = 0
  for (let i = 0; i < size; i++) dot += v[i] * w[i]
  const share = (beta * beta * dot) / 2
  for (let i = 0; i < size; i++) w[i] = beta * w[i] - share * v[i]
  for (let i = 0; i < size; i++) {
    const row = (from + i) * stride + from + stride
    const [vi, wi] = [v[i], w[i]]
    for (let j = 0; j <= i; j++) data[row + j] -= vi * w[j] + wi * v[j]
  }
}

/** Applies it from the right to a block of rows. */
function reflectRows(
  { data, stride }: Band,
  row0: number,
  numRows: number,
  column0: number,
  numColumns: number,
  v: Float64Array,
  beta: number,
): void {
  for (let i = 0; i < numRows; i++) {
    const row = (row0 + i) * stride + column0 + stride
    // Two sums, so that an addition need not wait for the one before it.
    let [even, odd] = [0, 0]
    for (let j = 0; j + 1 < numColumns; j += 2) {
      even += data[row + j] * v[j]
      odd += data[row + j + 1] * v[j + 1]
    }
    if (numColumns % 2 === 1) even += data[row + numColumns - 1] * v[numColumns - 1]
    const factor = beta * (even + odd)
    for (let j = 0; j < numColumns; j++) data[row + j] -= factor * v[j]
  }
}

/** Applies it from the left to a block of columns. */
function reflectColumns(
  { data, stride }: Band,
  row0: number,
  numRows: number,
  column0: number,
  numColumns: number,
  v: Float64Array,
  beta: number,
  sums: Float64Array,
): void {
  sums.fill(0)
  for (let i = 0; i < numRows; i++) {
    const row = (row0 + i) * stride + column0 + stride
    for (let j = 0; j < numColumns; j++) sums[j] += data[row + j] * v[i]
  }
  for (let i = 0; i < numRows; i++) {
    const row = (row0 + i) * stride + column0 + stride
    const factor = beta * v[i]
    for (let j = 0; j < numColumns; j++) data[row + j] -= factor * sums[j]
  }
}
