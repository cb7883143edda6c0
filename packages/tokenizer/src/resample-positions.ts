import { formatShape, matmul, permute, reshape, scope, type Tensor, tensor } from '@dit/tensor'
import { checkGrid, type Grid } from './token-grid.js'

/** How values between the places of a table are found. */
export type ResampleMethod = 'bicubic' | 'bilinear'

export interface ResampleOptions {
  readonly method?: ResampleMethod
}

/**
 * A table of positions for another grid, read off the old one at the centres of the new patches. Both grids cover the same
 * picture, so this suits a finer resolution and another aspect ratio alike. Differentiable.
 *
 * Every axis is a weighted mean of old rows: the cubic kernel of Keys (a = -1/2) or a triangle, as wide as a patch of the
 * coarser grid, with weights that sum to 1 (also at the border, where the kernel is cut off).
 *
 * @param table    `[N, D]` or `[1, N, D]`, row by row
 * @param fromGrid [rows, columns] of the table
 * @param toGrid   [rows, columns] wanted
 * @returns `[N', D]` or `[1, N', D]`; the caller disposes of it
 * @throws RangeError when the table does not fill `fromGrid`
 *
 * Keys 1981, "Cubic Convolution Interpolation for Digital Image Processing".
 */
export function resamplePositions(
  table: Tensor,
  fromGrid: Grid,
  toGrid: Grid,
  { method = 'bicubic' }: ResampleOptions = {},
): Tensor {
  checkGrid('resamplePositions', 'fromGrid', fromGrid)
  checkGrid('resamplePositions', 'toGrid', toGrid)
  if (!Object.hasOwn(KERNELS, method)) {
    throw new RangeError(`resamplePositions: method must be bicubic or bilinear (got ${method})`)
  }
  const [rows, columns] = fromGrid
  const [N, D] = table.shape.slice(-2)
  const isBatched = table.shape.length === 3 && table.shape[0] === 1
  if ((table.shape.length !== 2 && !isBatched) || N !== rows * columns) {
    throw new RangeError(
      `resamplePositions: table must be [${rows * columns}, D] for grid ${formatShape(fromGrid)} (got ${formatShape(table.shape)})`,
    )
  }
  const [newRows, newColumns] = toGrid
  const { backend, dtype } = table
  const weights = (from: number, to: number) =>
    tensor(resampleWeights(from, to, method), [to, from], { backend, dtype })
  return scope(() => {
    const down = matmul(weights(rows, newRows), reshape(table, [rows, columns * D])) // [rows', columns D]
    const byColumn = permute(reshape(down, [newRows, columns, D]), [1, 0, 2]) // [columns, rows', D]
    const across = matmul(weights(columns, newColumns), reshape(byColumn, [columns, newRows * D])) // [columns', rows' D]
    const byRow = permute(reshape(across, [newColumns, newRows, D]), [1, 0, 2]) // [rows', columns', D]
    return reshape(byRow, [...(isBatched ? [1] : []), newRows * newColumns, D]) // [N', D]
  })
}

/** Row i holds the shares of the old places in new place i: `[to, from]`, float64. */
function resampleWeights(from: number, to: number, method: ResampleMethod): Float64Array {
  const { support, weight } = KERNELS[method]
  const width = Math.max(1, from / to) // a coarser grid averages over its patches
  const shares = new Float64Array(to * from)
  for (let i = 0; i < to; i++) {
    const centre = ((i + 0.5) * from) / to - 0.5
    const first = Math.max(0, Math.ceil(centre - support * width))
    const last = Math.min(from - 1, Math.floor(centre + support * width))
    let total = 0
    for (let j = first; j <= last; j++) {
      shares[i * from + j] = weight((j - centre) / width)
      total += shares[i * from + j]
    }
    for (let j = first; j <= last; j++) shares[i * from + j] /= total
  }
  return shares
}

const KERNELS = {
  bicubic: { support: 2, weight: cubic },
  bilinear: { support: 1, weight: (x: number) => Math.max(0, 1 - Math.abs(x)) },
}

function cubic(x: number): number {
  const d = Math.abs(x)
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1
  if (d < 2) return ((-0.5 * d + 2.5) * d - 4) * d + 2
  return 0
}
