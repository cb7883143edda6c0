import { checkGrid, type Grid } from './token-grid.js'

/** Cosines and sines of the angles by which rotary positions turn a head. */
export interface RotaryPositions {
  /** `[extraTokens + N, headDim]`, row-major. */
  readonly cos: Float32Array
  readonly sin: Float32Array
}

/**
 * Tables of rotary positions on a grid. The token in row r and column c turns the channels 2i and 2i + 1 of each head as one pair, by an
 * angle: with K = headDim / 4 frequencies w[i] = 10000^(-i / K), i = 0 .. K - 1,
 *
 *   angle = r w[i]        for pair i, the first half of the head
 *         = c w[i]        for pair K + i, the second half
 *
 * so that the first half encodes the row: the opposite of `sincosPositions`. Rows and columns count from 0, one apart on every grid: a
 * larger one goes on where a smaller one ends. Computed in float64 and rounded once.
 *
 * @param headDim a multiple of 4
 * @param grid    [rows, columns]
 * @param options `extraTokens` rows come first, for tokens that stand at no place: they are not turned
 * @throws RangeError when `headDim` is not a multiple of 4 or an extent is not a positive integer
 *
 * Su et al. 2021, "RoFormer", eq. 34, once for each axis, as in LightningDiT (Yao et al. 2025).
 */
export function rotaryPositions(
  headDim: number,
  grid: Grid,
  { extraTokens = 0 }: { readonly extraTokens?: number } = {},
): RotaryPositions {
  if (!Number.isSafeInteger(headDim) || headDim < 4 || headDim % 4 !== 0) {
    throw new RangeError(`rotaryPositions: headDim must be a positive multiple of 4 (got ${headDim})`)
  }
  if (!Number.isSafeInteger(extraTokens) || extraTokens < 0) {
    throw new RangeError(`rotaryPositions: extraTokens must be a non-negative integer (got ${extraTokens})`)
  }
  checkGrid('rotaryPositions', 'grid', grid)
  const [rows, columns] = grid
  const [ofRows, ofColumns] = [axisTurns(rows, headDim / 4), axisTurns(columns, headDim / 4)]
  const size = (extraTokens + rows * columns) * headDim
  const [cos, sin] = [new Float32Array(size).fill(1), new Float32Array(size)]
  let at = extraTokens * headDim
  for (const row of ofRows) {
    for (const column of ofColumns) {
      cos.set(row.cos, at)
      sin.set(row.sin, at)
      cos.set(column.cos, at + headDim / 2)
      sin.set(column.sin, at + headDim / 2)
      at += headDim
    }
  }
  return { cos, sin }
}

/** Cosines and sines for each place of an axis, each twice: for both channels of a pair. */
function axisTurns(extent: number, K: number): RotaryPositions[] {
  return Array.from({ length: extent }, (_, position) => {
    const angles = Array.from({ length: 2 * K }, (_, channel) => position / 10000 ** ((channel >> 1) / K))
    return { cos: Float32Array.from(angles, Math.cos), sin: Float32Array.from(angles, Math.sin) }
  })
}
