import { affine, type Backend, randomNormal, type RandomStream, scope, type Tensor } from '@dit/tensor'
import { checkGrid, checkPositive, type Grid } from './token-grid.js'

export interface SincosOptions {
  /** Leading rows of zeros, for tokens that stand at no place. */
  readonly extraTokens?: number
  /**
   * Measure places in patches of this grid, so that the table covers the range of coordinates that a model trained on
   * that grid has seen: patch centres (c + 1/2) are scaled by trained columns / columns, and rows likewise.
   */
  readonly trainedGrid?: Grid
}

/**
 * Two-dimensional sine-cosine table of positions. With K = D / 4 frequencies w[i] = 10000^(-i / K), the row of the patch
 * in row r and column c is
 *
 *   [sin(c w), cos(c w), sin(r w), cos(r w)]
 *
 * so the first half encodes the column, and sines precede cosines. Computed in float64 and rounded once.
 *
 * @param hiddenSize D, a multiple of 4
 * @param grid       [rows, columns]
 * @returns `[extraTokens + N, D]`, row-major, row by row of the grid
 * @throws RangeError when `hiddenSize` is not a multiple of 4 or an extent is not a positive integer
 *
 * Vaswani et al. 2017, section 3.5, once for each axis, as in He et al. 2022 ("Masked Autoencoders") and Peebles & Xie 2022.
 */
export function sincosPositions(
  hiddenSize: number,
  grid: Grid,
  { extraTokens = 0, trainedGrid = grid }: SincosOptions = {},
): Float32Array {
  if (!Number.isSafeInteger(hiddenSize) || hiddenSize < 4 || hiddenSize % 4 !== 0) {
    throw new RangeError(`sincosPositions: hiddenSize must be a positive multiple of 4 (got ${hiddenSize})`)
  }
  if (!Number.isSafeInteger(extraTokens) || extraTokens < 0) {
    throw new RangeError(`sincosPositions: extraTokens must be a non-negative integer (got ${extraTokens})`)
  }
  checkGrid('sincosPositions', 'grid', grid)
  checkGrid('sincosPositions', 'trainedGrid', trainedGrid)
  const [rows, columns] = grid
  const K = hiddenSize / 4
  const table = new Float32Array((extraTokens + rows * columns) * hiddenSize)
  const rowWaves = axisWaves(rows, trainedGrid[0], K)
  const columnWaves = axisWaves(columns, trainedGrid[1], K)
  let at = extraTokens * hiddenSize
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      table.set(columnWaves[c], at)
      table.set(rowWaves[r], at + 2 * K)
      at += hiddenSize
    }
  }
  return table
}

/** [sin(p w), cos(p w)] for each coordinate p of an axis. */
function axisWaves(extent: number, trainedExtent: number, K: number): Float64Array[] {
  const stretch = trainedExtent / extent
  return Array.from({ length: extent }, (_, index) => {
    const position = (index + 0.5) * stretch - 0.5
    const waves = new Float64Array(2 * K)
    for (let i = 0; i < K; i++) {
      const angle = position / 10000 ** (i / K)
      waves[i] = Math.sin(angle)
      waves[K + i] = Math.cos(angle)
    }
    return waves
  })
}

export interface LearnedPositionsOptions {
  /** Standard deviation of the entries. */
  readonly std?: number
  /** Where the table lives; the current backend by default. */
  readonly backend?: Backend
}

/**
 * A fresh table of positions to be trained: normal draws number 0, 1, ... of the stream, times `std`.
 *
 * @param hiddenSize D
 * @param grid       [rows, columns]
 * @returns `[N, D]`; the caller disposes of it
 *
 * Dosovitskiy et al. 2021, section 3.1; the deviation of 0.02 is that of the other embeddings of DiT.
 */
export function learnedPositions(
  hiddenSize: number,
  grid: Grid,
  stream: RandomStream,
  { std = 0.02, backend }: LearnedPositionsOptions = {},
): Tensor {
  checkPositive('learnedPositions', 'hiddenSize', hiddenSize)
  checkGrid('learnedPositions', 'grid', grid)
  return scope(() => affine(randomNormal([grid[0] * grid[1], hiddenSize], stream, { backend }), std))
}
