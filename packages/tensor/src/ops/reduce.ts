import { record } from '../autograd/tape.js'
import { broadcastShapes, formatShape, resolveAxis, sameShape, type Shape, sizeOf, stretchedAxes } from '../shape.js'
import { empty, type Tensor } from '../tensor.js'
import { checkFloats } from './check-floats.js'
import { zeros } from './create.js'
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
  checkFloats('sum', [x])
  const rank = x.shape.length
  const all = x.shape.map((_, axis) => axis)
  const reduced = all.filter((axis) => (axes ?? all).some((given) => resolveAxis('sum', given, rank) === axis))
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

/**
 * `x` stretched to a shape that it broadcasts to: the transpose of `sum`. Copies.
 *
 * @throws RangeError when it does not broadcast to that shape
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  if (!sameShape(broadcastShapes('broadcastTo', x.shape, shape), shape)) {
    throw new RangeError(`broadcastTo: ${formatShape(x.shape)} does not stretch to ${formatShape(shape)}`)
  }
  checkFloats('broadcastTo', [x])
  const { backend, dtype } = x
  const out = empty(backend, shape, dtype)
  const zero = zeros([], { backend, dtype })
  backend.kernels.binary('add', x, zero, out)
  zero.dispose()
  record({ name: 'broadcastTo', inputs: [x], outputs: [out], backward: ([dy]) => [sumTo(dy!, x.shape)] })
  return out
}

/** Undoes broadcasting: sums over the axes along which a tensor of `shape` was stretched. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x
  const axes = stretchedAxes(shape, x.shape)
  return reshape(axes.length === 0 ? x : sum(x, axes), shape)
}
