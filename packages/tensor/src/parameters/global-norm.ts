import { bytesPerElement } from '../dtype.js'
import { sum } from '../ops/reduce.js'
import { square } from '../ops/unary.js'
import { scope } from '../scope.js'
import type { Tensor } from '../tensor.js'

/** Elements squared at a time: the squares of a whole segment of parameters would take as much memory again. */
const PIECE = 2 ** 20

/**
 * Euclidean norm over all elements of some tensors, as used for clipping gradients.
 *
 * Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", algorithm 1.
 */
export async function globalNorm(tensors: readonly Tensor[]): Promise<number> {
  const squares = scope(() => tensors.flatMap(pieces).map((piece) => scope(() => sum(square(piece)))))
  let total = 0
  for (const value of squares) {
    total += (await value.data())[0]
    value.dispose()
  }
  return Math.sqrt(total)
}

/** Views of at most `PIECE` elements, where the backend has views. */
function pieces(x: Tensor): Tensor[] {
  if (!x.backend.supportsViews || x.size <= PIECE) return [x]
  const bytes = bytesPerElement(x.dtype)
  return Array.from({ length: Math.ceil(x.size / PIECE) }, (_, i) =>
    x.view([Math.min(PIECE, x.size - i * PIECE)], x.byteOffset + i * PIECE * bytes),
  )
}
