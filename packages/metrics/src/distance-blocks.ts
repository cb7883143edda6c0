import type { Features } from './features.js'
import type { GemmSize, Products } from './products.js'

/**
 * Squared distance of two rows in float64, from their differences: exact where the differences are small integers, 0 for
 * duplicates, and the same for either order of the rows.
 */
export function squaredDistance(a: Features, i: number, b: Features, j: number): number {
  const width = a.shape[1]
  const [x, y] = [a.data, b.data]
  let sum = 0
  for (let p = i * width, q = j * width, end = p + width; p < end; p++, q++) {
    const difference = x[p] - y[q]
    sum += difference * difference
  }
  return sum
}

/**
 * Estimates of squared distances between rows i0 .. i1 - 1 of one set and j0 .. j1 - 1 of another. Pair i, j has
 *
 *   estimate  squaresA[i] + squaresB[j] - dots[(i - i0) (j1 - j0) + j - j0] factor
 *   error     at most slack (lengthsA[i] + lengthsB[j])^2 + floor
 */
export interface DistanceBlock {
  readonly i0: number
  readonly i1: number
  readonly j0: number
  readonly j1: number
  readonly dots: Float64Array | Float32Array
  readonly factor: number
  readonly squaresA: Float64Array
  readonly squaresB: Float64Array
  readonly lengthsA: Float64Array
  readonly lengthsB: Float64Array
  readonly slack: number
  readonly floor: number
  /** No squared distance is below nearA[i] + nearB[j] - dots[...] factor: the estimate less a simpler bound of its error. */
  readonly nearA: Float64Array
  readonly nearB: Float64Array
}

/** Rows of either set in a block at most. Their dot products take 34 MB in float32. */
const ROWS_A = 4096
const ROWS_B = 2048
/** Numbers of the larger set in a block: 34 MB in float32. Wide rows come in smaller blocks. */
const BLOCK_NUMBERS = 2 ** 23

/**
 * Visits all pairs of two sets in blocks, or of one set (`a === b`) those with j <= i at least.
 *
 * Both sets are centred first, since lengths enter the error. Float32 products are used if there are any: then the error is that
 * of a sum of D terms in any order, D u / (1 - D u) times the lengths. Higham 2002, section 3.1.
 */
export function visitDistances(
  a: Features,
  b: Features,
  products: Products,
  visit: (block: DistanceBlock) => void,
): void {
  const width = a.shape[1]
  const isOneSet = a === b
  const isSingle = products.gemm32 !== undefined && width < 2 ** 20
  const frame = frameOf(a, b)
  const { centre, scale } = frame
  const sideA = sideOf(a, centre)
  const sideB = isOneSet ? sideA : sideOf(b, centre)
  const unit = isSingle ? 2 ** -24 : 2 ** -53
  const gamma = (width * unit) / (1 - width * unit)
  const slack = 1.01 * (gamma / 2 + 3 * unit + (width + 8) * 2 ** -53)
  const floor = width * (isSingle ? 2 ** -125 : 2 ** -1021) * scale * scale
  const mostA = Math.min(ROWS_A, Math.max(2, Math.floor(BLOCK_NUMBERS / width)))
  const mostB = Math.min(ROWS_B, Math.max(1, mostA >> 1))
  const memory = blockMemory(Math.min(a.shape[0], mostA), Math.min(b.shape[0], mostB), width, isSingle)
  const nearOf = (squares: Float64Array) => squares.map((square) => square * (1 - 2 * slack) - floor)
  const nearA = nearOf(sideA.squares)
  const nearB = isOneSet ? nearA : nearOf(sideB.squares)
  const { squares: squaresA, lengths: lengthsA } = sideA
  const { squares: squaresB, lengths: lengthsB } = sideB
  const sides = { squaresA, squaresB, lengthsA, lengthsB, nearA, nearB }
  const factor = 2 * scale * scale
  for (let i0 = 0; i0 < a.shape[0]; i0 += mostA) {
    const i1 = Math.min(i0 + mostA, a.shape[0])
    const rows = centredRows(a, i0, i1, frame, memory.a)
    const end = isOneSet ? i1 : b.shape[0]
    for (let j0 = 0; j0 < end; j0 += mostB) {
      const j1 = Math.min(j0 + mostB, end)
      const others = centredRows(b, j0, j1, frame, memory.b)
      const dots = dotsOf(products, rows, others, memory.dots, { m: i1 - i0, n: j1 - j0, k: width })
      visit({ i0, i1, j0, j1, dots, factor, slack, floor, ...sides })
    }
  }
}

/**
 * The first j from `from` on, below `end`, whose pair with i may be as near as `limit` or as `limits[j]`; `end` if there is none.
 * Nearly all pairs are ruled out here.
 */
export function nextNear(
  { i0, j0, j1, dots, factor, nearA, nearB }: DistanceBlock,
  i: number,
  from: number,
  end: number,
  limit: number,
  limits: Float64Array,
): number {
  const near = nearA[i]
  const row = (i - i0) * (j1 - j0) - j0
  for (let j = from; j < end; j++) {
    const low = near + nearB[j] - dots[row + j] * factor
    // Written so that NaN, of a product that overflowed, rules nothing out.
    if (!(low > limit && low > limits[j])) return j
  }
  return end
}

/** Estimate of the squared distance of pair i, j, and how far it may be off. */
export function estimateOf(
  { i0, j0, j1, dots, factor, squaresA, squaresB, lengthsA, lengthsB, slack, floor }: DistanceBlock,
  i: number,
  j: number,
): { readonly estimate: number; readonly error: number } {
  const lengths = lengthsA[i] + lengthsB[j]
  return {
    estimate: squaresA[i] + squaresB[j] - dots[(i - i0) * (j1 - j0) + j - j0] * factor,
    error: slack * lengths * lengths + floor,
  }
}

/** A point amid both sets, and a power of two that no coordinate about it exceeds. */
interface Frame {
  readonly centre: Float64Array
  readonly scale: number
}

function frameOf(a: Features, b: Features): Frame {
  const width = a.shape[1]
  const centre = new Float64Array(width)
  const sets = a === b ? [a] : [a, b]
  for (const { shape, data } of sets) {
    const share = 1 / (shape[0] * sets.length)
    for (let start = 0; start < data.length; start += width) {
      for (let p = 0; p < width; p++) centre[p] += data[start + p] * share
    }
  }
  let largest = 0
  for (const { data } of sets) {
    for (let start = 0; start < data.length; start += width) {
      for (let p = 0; p < width; p++) largest = Math.max(largest, Math.abs(data[start + p] - centre[p]))
    }
  }
  return { centre, scale: largest === 0 ? 1 : 2 ** Math.ceil(Math.log2(largest)) }
}

/** Squared and plain lengths of all rows about the centre. */
function sideOf(
  { shape: [count, width], data }: Features,
  centre: Float64Array,
): { squares: Float64Array; lengths: Float64Array } {
  const squares = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    let sum = 0
    for (let p = 0, at = i * width; p < width; p++, at++) sum += (data[at] - centre[p]) ** 2
    squares[i] = sum
  }
  return { squares, lengths: squares.map(Math.sqrt) }
}

type Numbers = Float64Array | Float32Array

/** What all blocks use in turn. */
function blockMemory(rowsA: number, rowsB: number, width: number, isSingle: boolean) {
  const numbers = (length: number): Numbers => (isSingle ? new Float32Array(length) : new Float64Array(length))
  return { a: numbers(rowsA * width), b: numbers(rowsB * width), dots: numbers(rowsA * rowsB) }
}

function dotsOf(products: Products, a: Numbers, b: Numbers, memory: Numbers, size: GemmSize): Numbers {
  const dots = memory.subarray(0, size.m * size.n)
  if (dots instanceof Float32Array) {
    products.gemm32!(a as Float32Array, b as Float32Array, dots, size)
  } else {
    products.gemm(a as Float64Array, b as Float64Array, dots.fill(0), size)
  }
  return dots
}

/** Rows about the centre, scaled. */
function centredRows(
  { data }: Features,
  start: number,
  end: number,
  { centre, scale }: Frame,
  memory: Numbers,
): Numbers {
  const width = centre.length
  const rows = memory.subarray(0, (end - start) * width)
  // Exact: the scale is a power of two.
  const inverse = 1 / scale
  for (let at = 0, from = start * width; at < rows.length; at += width, from += width) {
    for (let p = 0; p < width; p++) rows[at + p] = (data[from + p] - centre[p]) * inverse
  }
  return rows
}
