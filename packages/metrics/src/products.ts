/**
 * The products that take most of a measure's time, in float64 over row-major matrices without gaps. Both multiply rows by rows, so
 * that the numbers of a dot product lie side by side.
 *
 * `plainProducts` is in TypeScript; `float64()` of `@dit/backend-cpu/float64` has threads and vector instructions.
 */
export interface Products {
  /** c [m, n] += a [m, k] b [n, k]^T */
  gemm(a: Float64Array, b: Float64Array, c: Float64Array, size: GemmSize): void
  /** c [n, n] += a [n, k] a [n, k]^T; c is symmetric before and after. */
  syrk(a: Float64Array, c: Float64Array, size: { readonly n: number; readonly k: number }): void
  /**
   * c [m, n] = a [m, k] b [n, k]^T in float32, summed in any order. If present, distances are compared by it first; those that
   * are too close to tell are computed again in float64.
   */
  gemm32?(a: Float32Array, b: Float32Array, c: Float32Array, size: GemmSize): void
}

/** Sizes of a product: m rows by n rows, of k numbers each. */
export interface GemmSize {
  readonly m: number
  readonly n: number
  readonly k: number
}

/** Side of the register tile. */
const TILE = 4
/** Numbers of a row that are multiplied at once: four rows of them lie in the first cache. */
const STRETCH = 256
/** Rows of b that are packed at once. */
const PANEL = 1024

/** Products in plain TypeScript: 4 x 4 register tiles over packed strips. */
export const plainProducts: Products = {
  gemm: (a, b, c, { m, n, k }) => multiply(a, b, c, { m, n, k }, false),
  syrk(a, c, { n, k }) {
    multiply(a, a, c, { m: n, n, k }, true)
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < i; j++) c[j * n + i] = c[i * n + j]
    }
  },
}

/** c += a b^T; of tiles that lie above the diagonal nothing if `isLower`. */
function multiply(a: Float64Array, b: Float64Array, c: Float64Array, { m, n, k }: GemmSize, isLower: boolean): void {
  const strip = new Float64Array(TILE * STRETCH)
  const panel = new Float64Array(Math.ceil(Math.min(n, PANEL) / TILE) * TILE * STRETCH)
  const sums = new Float64Array(TILE * TILE)
  for (let n0 = 0; n0 < n; n0 += PANEL) {
    const n1 = Math.min(n0 + PANEL, n)
    for (let k0 = 0; k0 < k; k0 += STRETCH) {
      const length = Math.min(STRETCH, k - k0)
      for (let j = n0; j < n1; j += TILE) pack(b, panel, { row: j, numRows: n, k, k0, length, to: (j - n0) * length })
      for (let i = isLower ? n0 : 0; i < m; i += TILE) {
        pack(a, strip, { row: i, numRows: m, k, k0, length, to: 0 })
        const end = isLower ? Math.min(n1, i + TILE) : n1
        for (let j = n0; j < end; j += TILE) {
          tile(strip, panel, (j - n0) * length, length, sums)
          const rows = Math.min(TILE, m - i)
          const columns = Math.min(TILE, n - j)
          for (let r = 0; r < rows; r++) {
            for (let s = 0; s < columns; s++) c[(i + r) * n + j + s] += sums[r * TILE + s]
          }
        }
      }
    }
  }
}

interface Packed {
  readonly row: number
  readonly numRows: number
  readonly k: number
  readonly k0: number
  readonly length: number
  readonly to: number
}

/** Interleaves four rows, so that the tile reads memory from front to back; rows behind the last are 0. */
function pack(from: Float64Array, strip: Float64Array, { row, numRows, k, k0, length, to }: Packed): void {
  for (let r = 0; r < TILE; r++) {
    const start = (row + r) * k + k0
    const isThere = row + r < numRows
    for (let p = 0; p < length; p++) strip[to + p * TILE + r] = isThere ? from[start + p] : 0
  }
}

function tile(a: Float64Array, b: Float64Array, offset: number, length: number, sums: Float64Array): void {
  let [c00, c01, c02, c03, c10, c11, c12, c13] = [0, 0, 0, 0, 0, 0, 0, 0]
  let [c20, c21, c22, c23, c30, c31, c32, c33] = [0, 0, 0, 0, 0, 0, 0, 0]
  for (let p = 0; p < length * TILE; p += TILE) {
    const y0 = b[offset + p]
    const y1 = b[offset + p + 1]
    const y2 = b[offset + p + 2]
    const y3 = b[offset + p + 3]
    let x = a[p]
    c00 += x * y0
    c01 += x * y1
    c02 += x * y2
    c03 += x * y3
    x = a[p + 1]
    c10 += x * y0
    c11 += x * y1
    c12 += x * y2
    c13 += x * y3
    x = a[p + 2]
    c20 += x * y0
    c21 += x * y1
    c22 += x * y2
    c23 += x * y3
    x = a[p + 3]
    c30 += x * y0
    c31 += x * y1
    c32 += x * y2
    c33 += x * y3
  }
  sums[0] = c00
  sums[1] = c01
  sums[2] = c02
  sums[3] = c03
  sums[4] = c10
  sums[5] = c11
  sums[6] = c12
  sums[7] = c13
  sums[8] = c20
  sums[9] = c21
  sums[10] = c22
  sums[11] = c23
  sums[12] = c30
  sums[13] = c31
  sums[14] = c32
  sums[15] = c33
}
