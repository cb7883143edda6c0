import { record } from '../autograd/tape.js'
import { resolveAxis, sizeOf } from '../shape.js'
import { empty, type Tensor } from '../tensor.js'
import { broadcastTo } from './broadcast-to.js'
import { reshape } from './shape.js'
import { affine } from './unary.js'

export interface ReduceOptions {
  /** Reduced axes stay with extent 1. */
  readonly keepDims?: boolean
}

/**
 * Sum over `axes` (negative ones count from the end), or over all of them: then the result is a scalar.
 *
 * @throws RangeError for an axis that is not there
 */
export function sum(x: Tensor, axes?: readonly number[], { keepDims = false }: ReduceOptions = {}): Tensor {
  const rank = x.shape.length
  const reduced = [...new Set((axes ?? x.shape.map((_, i) => i)).map((axis) => resolveAxis('sum', axis, rank)))].sort(
    (a, b) => a - b,
  )
  const kept = x.shape.map((extent, axis) => (reduced.includes(axis) ? 1 : extent))
  const out = empty(x.backend, kept, x.dtype)
  x.backend.kernels.sum(x, reduced, out)
  record({ name: 'sum', inputs: [x], outputs: [out], backward: ([dy]) => [broadcastTo(dy!, x.shape)] })
  if (keepDims) return out
  const squeezed = reshape(
    out,
    x.shape.filter((_, axis) => !reduced.includes(axis)),
  )
  out.dispose()
  return squeezed
}

/** Mean over `axes`, or over all of them. See `sum`. */
export function mean(x: Tensor, axes?: readonly number[], options?: ReduceOptions): Tensor {
  const total = sum(x, axes, options)
  const out = affine(total, sizeOf(total.shape) / x.size)
  total.dispose()
  return out
}
