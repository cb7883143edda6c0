import type { Features, Products } from '@dit/metrics'

/** A kernel of a dot product and the squared lengths of both rows; a constant may be left out, as it cancels in a discrepancy. */
export type KernelFunction = (dot: number, squareX: number, squareY: number) => number

/** KID's: (x.y / D + 1)^3 */
export function cubicKernel(width: number): KernelFunction {
  return (dot) => (dot / width + 1) ** 3
}

/** CMMD's: exp(-|x - y|^2 / (2 sigma^2)) - 1 */
export function gaussianKernel(sigma: number): KernelFunction {
  const rate = -1 / (2 * sigma * sigma)
  return (dot, squareX, squareY) => Math.expm1(rate * Math.max(squareX + squareY - 2 * dot, 0))
}

/** How often each resample takes each row, `[R, N]`. */
export type Weights = Float64Array

/** Weighted sums of a kernel over all pairs, one for each resample. */
export interface KernelSums {
  /** Over pairs of two different rows; of two sets, over all. */
  readonly others: Float64Array
  /** Over pairs of a row with itself; of two sets zeros. */
  readonly same: Float64Array
}

const BLOCK = 512

/**
 * sum w_i v_j k(x_i, y_j) for every resample at once: each block of the kernel is made once and multiplied by all weights, so that no
 * matrix of all pairs is held.
 *
 * @param weightsY of `y`; null where both sets are `x`, whose pairs with themselves are then counted apart
 */
export function kernelSums(
  x: Features,
  y: Features,
  [weightsX, weightsY]: readonly [Weights, Weights | null],
  { kernel, numResamples: R, products }: { kernel: KernelFunction; numResamples: number; products: Products },
): KernelSums {
  const [n, width] = x.shape
  const isOneSet = weightsY === null
  const m = isOneSet ? n : y.shape[0]
  const [others, same] = [new Float64Array(R), new Float64Array(R)]
  for (let i0 = 0; i0 < n; i0 += BLOCK) {
    const a = rowsOf(x, i0, Math.min(i0 + BLOCK, n))
    const wa = columnsOf(weightsX, n, i0, a.count, R)
    for (let j0 = 0; j0 < (isOneSet ? i0 + 1 : m); j0 += BLOCK) {
      const b = isOneSet && j0 === i0 ? a : rowsOf(isOneSet ? x : y, j0, Math.min(j0 + BLOCK, m))
      const wb = isOneSet && j0 === i0 ? wa : columnsOf(weightsY ?? weightsX, m, j0, b.count, R)
      const block = new Float64Array(a.count * b.count)
      products.gemm(a.rows, b.rows, block, { m: a.count, n: b.count, k: width })
      const isDiagonal = isOneSet && j0 === i0
      for (let i = 0, at = 0; i < a.count; i++) {
        for (let j = 0; j < b.count; j++, at++) block[at] = kernel(block[at], a.squares[i], b.squares[j])
        if (!isDiagonal) continue
        const own = kernel(a.squares[i], a.squares[i], a.squares[i])
        for (let r = 0; r < R; r++) same[r] += wa[r * a.count + i] ** 2 * own
        block[i * b.count + i] = 0
      }
      const sums = new Float64Array(R * a.count)
      products.gemm(wb, block, sums, { m: R, n: a.count, k: b.count })
      // Of one set the pairs below the diagonal come twice.
      const times = isOneSet && !isDiagonal ? 2 : 1
      for (let r = 0; r < R; r++) {
        for (let i = 0; i < a.count; i++) others[r] += times * wa[r * a.count + i] * sums[r * a.count + i]
      }
    }
  }
  return { others, same }
}

function rowsOf({ shape: [, width], data }: Features, start: number, end: number) {
  const rows = Float64Array.from(data.subarray(start * width, end * width))
  const squares = new Float64Array(end - start)
  for (let i = 0; i < squares.length; i++) {
    for (let j = 0; j < width; j++) squares[i] += rows[i * width + j] ** 2
  }
  return { count: end - start, rows, squares }
}

function columnsOf(weights: Weights, n: number, start: number, count: number, R: number): Float64Array {
  const part = new Float64Array(R * count)
  for (let r = 0; r < R; r++) part.set(weights.subarray(r * n + start, r * n + start + count), r * count)
  return part
}
