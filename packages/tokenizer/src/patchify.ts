import { formatShape, permute, reshape, scope, type Tensor } from '@dit/tensor'
import { checkGrid, checkPositive, type Grid, patchGrid } from './token-grid.js'

/**
 * Cuts images into square patches, one token each.
 *
 *   token[row * columns + column][(c * P + i) * P + j] = x[c][row * P + i][column * P + j]
 *
 * Within a token the order is (channel, row, column), column fastest: that of a convolution's flattened weight, as
 * `patchEmbed` needs it. `unpatchify` reads another order, so the two do not undo each other unless C is 1.
 *
 * @param x         `[B, C, H, W]`
 * @param patchSize P; divides H and W
 * @returns `[B, N, C P P]` with N = (H / P) (W / P), row by row
 * @throws RangeError when H or W is not a multiple of P
 *
 * Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words", section 3.1.
 */
export function patchify(x: Tensor, patchSize: number): Tensor {
  const [B, C, H, W] = x.shape
  if (x.shape.length !== 4) throw new RangeError(`patchify: x must be [B, C, H, W] (got ${formatShape(x.shape)})`)
  const [rows, columns] = patchGrid('patchify', H, W, patchSize, `x is ${formatShape(x.shape)}`)
  const P = patchSize
  return scope(() => {
    const cut = reshape(x, [B, C, rows, P, columns, P])
    const patches = permute(cut, [0, 2, 4, 1, 3, 5]) // [B, rows, columns, C, P, P]
    return reshape(patches, [B, rows * columns, C * P * P]) // [B, N, C P P]
  })
}

export interface UnpatchifyOptions {
  readonly patchSize: number
  readonly grid: Grid
}

/**
 * Puts the tokens of a DiT's last layer together to images.
 *
 *   x[c][row * P + i][column * P + j] = token[row * columns + column][(i * P + j) * C + c]
 *
 * Within a token the order is (row, column, channel), channel fastest.
 *
 * @param tokens `[B, N, P P C]`, N = rows * columns, row by row
 * @param options `patchSize` P and `grid` [rows, columns]; C follows from the width of the tokens
 * @returns `[B, C, rows P, columns P]`
 * @throws RangeError when the tokens do not fill the grid or their width is not a multiple of P P
 *
 * Peebles & Xie 2022, section 3.2 ("Transformer decoder").
 */
export function unpatchify(tokens: Tensor, { patchSize, grid }: UnpatchifyOptions): Tensor {
  const [B, N, width] = tokens.shape
  const [rows, columns] = grid
  const P = patchSize
  checkPositive('unpatchify', 'patchSize', P)
  checkGrid('unpatchify', 'grid', grid)
  if (tokens.shape.length !== 3 || N !== rows * columns || width % (P * P) !== 0) {
    throw new RangeError(
      `unpatchify: tokens must be [B, ${rows * columns}, ${P * P} * C] for grid ${formatShape(grid)} and patchSize ${P} (got ${formatShape(tokens.shape)})`,
    )
  }
  const C = width / (P * P)
  return scope(() => {
    const patches = reshape(tokens, [B, rows, columns, P, P, C])
    const image = permute(patches, [0, 5, 1, 3, 2, 4]) // [B, C, rows, P, columns, P]
    return reshape(image, [B, C, rows * P, columns * P]) // [B, C, H, W]
  })
}
