import { formatShape } from '../shape.js'
import type { Tensor } from '../tensor.js'

/** The error of extents that do not fit: what must hold, and the shapes that came. */
export function misfit(claim: string, tensors: readonly Tensor[]): RangeError {
  return new RangeError(`${claim} (got ${tensors.map(({ shape }) => formatShape(shape)).join(', ')})`)
}
