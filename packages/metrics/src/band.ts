import type { Products } from './products.js'
import { reflection } from './reflection.js'

/** Entries beside the diagonal of a band. More of them make larger products, and more work to get rid of the band. */
export const BANDWIDTH = 32

/**
 * The lower triangle of a symmetric matrix near its diagonal. Row i, column j is `data[i stride + j + stride]`, for j <= i < j + 2 BANDWIDTH:
 * beside the band there is room for what arises while it is made tridiagonal.
 */
export interface Band {
  readonly data: Float64Array
  readonly stride: number
}

/**
 * Band of a matrix that is orthogonally similar to a symmetric one. Nearly all of the work is in products.
 *
 *   Q = 1 - V T V^T        Q^T A Q = A - V W^T - W V^T        W = A V T - V (T^T V^T A V T) / 2
 *
 * where V holds the reflections that make a panel of columns triangular below the band.
 *
 * Bischof, Lang & Sun 2000, "A Framework for Symmetric Band Reduction", section 3; Schreiber & Van Loan 1989, "A Storage-Efficient
 * WY Representation for Products of Householder Transformations", for T.
 *
 * @param matrix  `[n, n]`, symmetric; overwritten
 */
export function reduceToBand(matrix: Float64Array, n: number, products: Products): Band {
  const stride = 2 * BANDWIDTH - 1
  const band = { data: new Float64Array(n * (stride + 1)), stride }
  let rest = matrix
  let size = n
  while (size > BANDWIDTH + 1) {
    const panel = takePanel(rest, size)
    storeColumns(band, n - size, BANDWIDTH, (i, j) =>
      i < BANDWIDTH ? rest[i * size + j] : panel.columns[j * panel.height + i - BANDWIDTH],
    )
    rest = afterPanel(rest, size, panel, products)
    size = panel.height
  }
  storeColumns(band, n - size, size, (i, j) => rest[i * size + j])
  return band
}

/** Columns start .. start + count - 1 of the band, from entries of what is left of the matrix. */
function storeColumns(
  { data, stride }: Band,
  start: number,
  count: number,
  entry: (i: number, j: number) => number,
): void {
  const n = data.length / (stride + 1)
  for (let j = 0; j < count; j++) {
    const end = Math.min(j + BANDWIDTH, n - start - 1)
    for (let i = j; i <= end; i++) data[(start + i) * stride + start + j + stride] = entry(i, j)
  }
}

/** The first columns of a matrix, below the band. */
interface Panel {
  readonly height: number
  /** `[BANDWIDTH, height]`, one column a row: triangular, R of the panel */
  readonly columns: Float64Array
  readonly numReflections: number
  /** V^T `[numReflections, height]` */
  readonly v: Float64Array
  /** T `[numReflections, numReflections]`, upper triangle */
  readonly t: Float64Array
}

function takePanel(rest: Float64Array, size: number): Panel {
  const height = size - BANDWIDTH
  const numReflections = Math.min(BANDWIDTH, height - 1)
  const columns = new Float64Array(BANDWIDTH * height)
  const v = new Float64Array(numReflections * height)
  const t = new Float64Array(numReflections * numReflections)
  for (let j = 0; j < BANDWIDTH; j++) {
    const column = columns.subarray(j * height, (j + 1) * height)
    for (let i = 0; i < height; i++) column[i] = rest[(i + BANDWIDTH) * size + j]
    for (let r = 0; r < Math.min(j, numReflections); r++) {
      const earlier = v.subarray(r * height, (r + 1) * height)
      addTimes(column, -t[r * (numReflections + 1)] * dot(earlier, column), earlier)
    }
    if (j >= numReflections) continue
    const own = v.subarray(j * height, (j + 1) * height)
    const { alpha, beta } = reflection(column, own, j, height)
    column.fill(0, j)
    column[j] = alpha
    const dots = Float64Array.from({ length: j }, (_, r) => dot(v.subarray(r * height, (r + 1) * height), own))
    for (let r = 0; r < j; r++) {
      let sum = 0
      for (let s = r; s < j; s++) sum += t[r * numReflections + s] * dots[s]
      t[r * numReflections + j] = -beta * sum
    }
    t[j * (numReflections + 1)] = beta
  }
  return { height, columns, numReflections, v, t }
}

/** What is left of the matrix behind a panel, with its reflections applied from both sides. */
function afterPanel(rest: Float64Array, size: number, panel: Panel, products: Products): Float64Array {
  const { height, numReflections: k, v, t } = panel
  // In place: each row moves forward.
  for (let i = 0; i < height; i++) {
    const row = (i + BANDWIDTH) * size + BANDWIDTH
    rest.copyWithin(i * height, row, row + height)
  }
  const next = rest.subarray(0, height * height)
  // W^T, one column of W a row, begins as (A V)^T.
  const w = new Float64Array(k * height)
  products.gemm(v, next, w, { m: k, n: height, k: height })
  // A V T: from the last column on, since a column needs those before it.
  for (let j = k - 1; j >= 0; j--) {
    const column = w.subarray(j * height, (j + 1) * height)
    for (let i = 0; i < height; i++) column[i] *= t[j * (k + 1)]
    for (let r = 0; r < j; r++) addTimes(column, t[r * k + j], w.subarray(r * height, (r + 1) * height))
  }
  // V^T A V T, and T^T of it.
  const inner = new Float64Array(k * k)
  products.gemm(v, w, inner, { m: k, n: k, k: height })
  for (let j = 0; j < k; j++) {
    const column = w.subarray(j * height, (j + 1) * height)
    for (let r = 0; r < k; r++) {
      let sum = 0
      for (let s = 0; s <= r; s++) sum += t[s * k + r] * inner[s * k + j]
      addTimes(column, -sum / 2, v.subarray(r * height, (r + 1) * height))
    }
  }
  const [left, right] = [new Float64Array(height * 2 * k), new Float64Array(height * 2 * k)]
  for (let r = 0; r < k; r++) {
    for (let i = 0; i < height; i++) {
      left[i * 2 * k + r] = -v[r * height + i]
      left[i * 2 * k + k + r] = -w[r * height + i]
      right[i * 2 * k + r] = w[r * height + i]
      right[i * 2 * k + k + r] = v[r * height + i]
    }
  }
  products.gemm(left, right, next, { m: height, n: height, k: 2 * k })
  return next
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i]
  return sum
}

/** x += factor y */
function addTimes(x: Float64Array, factor: number, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) x[i] += factor * y[i]
}
