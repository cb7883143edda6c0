import { sum } from '../ops/reduce.js'
import { square } from '../ops/unary.js'
import { scope } from '../scope.js'
import type { Tensor } from '../tensor.js'

/**
 * Euclidean norm over all elements of some tensors, as used for clipping gradients.
 *
 * Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", algorithm 1.
 */
export async function globalNorm(tensors: readonly Tensor[]): Promise<number> {
  const squares = scope(() => tensors.map((tensor) => sum(square(tensor))))
  let total = 0
  for (const value of squares) {
    total += (await value.data())[0]
    value.dispose()
  }
  return Math.sqrt(total)
}
