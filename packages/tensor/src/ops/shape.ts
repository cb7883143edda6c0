import { record } from '../autograd/tape.js'
import { formatShape, resolveAxis, type Shape, sizeOf } from '../shape.js'
import { commonBackend, empty, type Tensor } from '../tensor.js'
import { zeros } from './create.js'

/**
 * The same values under another shape; shares the memory. One extent may be -1: it is worked out.
 *
 * @throws RangeError when the sizes differ
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const out = x.view(resolveShape(x, shape))
  record({ name: 'reshape', inputs: [x], outputs: [out], backward: ([dy]) => [reshape(dy!, x.shape)] })
  return out
}

function resolveShape(x: Tensor, shape: Shape): Shape {
  const unknown = shape.indexOf(-1)
  const known = sizeOf(shape.filter((_, axis) => axis !== unknown))
  const resolved = unknown < 0 ? [...shape] : shape.map((extent, axis) => (axis === unknown ? x.size / known : extent))
  if (!resolved.every((extent) => Number.isInteger(extent) && extent >= 0) || sizeOf(resolved) !== x.size) {
    throw new RangeError(
      `reshape: ${formatShape(x.shape)} has ${x.size} elements, which ${formatShape(shape)} does not hold`,
    )
  }
  return resolved
}

/**
 * Axes in another order: axis i of the result is axis `axes[i]` of `x`. Copies.
 *
 * @throws RangeError unless `axes` names every axis once
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  if (axes.length !== x.shape.length || axes.toSorted((a, b) => a - b).some((axis, i) => axis !== i)) {
    throw new RangeError(`permute: axes must name each axis of ${formatShape(x.shape)} once (got ${formatShape(axes)})`)
  }
  const out = empty(
    x.backend,
    axes.map((axis) => x.shape[axis]),
    x.dtype,
  )
  x.backend.kernels.permute(x, axes, out)
  const inverse = axes.map((_, axis) => axes.indexOf(axis))
  record({ name: 'permute', inputs: [x], outputs: [out], backward: ([dy]) => [permute(dy!, inverse)] })
  return out
}

/**
 * `size` entries of one axis, from `start`. Copies.
 *
 * @throws RangeError when they are not all there
 */
export function slice(x: Tensor, axis: number, start: number, size: number): Tensor {
  const at = resolveAxis('slice', axis, x.shape.length)
  if (!(Number.isInteger(start) && Number.isInteger(size) && start >= 0 && size >= 0 && start + size <= x.shape[at])) {
    throw new RangeError(`slice: ${start}..${start + size} must lie within axis ${at} of ${formatShape(x.shape)}`)
  }
  const out = empty(x.backend, x.shape.with(at, size), x.dtype)
  x.backend.kernels.slice(
    x,
    x.shape.map((_, i) => (i === at ? start : 0)),
    out,
  )
  record({
    name: 'slice',
    inputs: [x],
    outputs: [out],
    backward: ([dy]) => {
      const rest = x.shape[at] - start - size
      const blank = (extent: number) => zeros(x.shape.with(at, extent), { backend: x.backend, dtype: x.dtype })
      return [concat([...(start > 0 ? [blank(start)] : []), dy!, ...(rest > 0 ? [blank(rest)] : [])], at)]
    },
  })
  return out
}

/**
 * Tensors joined along one axis. Copies.
 *
 * @throws RangeError when they differ along another axis
 */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const xs = [...tensors] // the caller may change the array before the backward pass
  if (xs.length === 0) throw new RangeError('concat: there must be at least one tensor')
  const backend = commonBackend('concat', xs)
  const [{ shape, dtype }] = xs
  const at = resolveAxis('concat', axis, shape.length)
  for (const x of xs) {
    if (x.shape.length !== shape.length || x.shape.some((extent, i) => i !== at && extent !== shape[i])) {
      throw new RangeError(
        `concat: shapes must agree but for axis ${at} (got ${formatShape(shape)} and ${formatShape(x.shape)})`,
      )
    }
    if (x.dtype !== dtype) throw new TypeError(`concat: dtypes must be one (got ${dtype} and ${x.dtype})`)
  }
  const out = empty(
    backend,
    shape.with(
      at,
      xs.reduce((total, x) => total + x.shape[at], 0),
    ),
    dtype,
  )
  backend.kernels.concat(xs, at, out)
  record({
    name: 'concat',
    inputs: xs,
    outputs: [out],
    backward: ([dy]) => {
      let start = 0
      return xs.map((x) => {
        const part = slice(dy!, at, start, x.shape[at])
        start += x.shape[at]
        return part
      })
    },
  })
  return out
}

/**
 * `count` equal parts along the last axis. Copies; one node of the tape, so that the backward pass is one concatenation.
 *
 * @throws RangeError when the axis does not divide
 */
export function chunk(x: Tensor, count: number): Tensor[] {
  const at = x.shape.length - 1
  const size = x.shape[at] / count
  if (!Number.isInteger(count) || count < 1 || !Number.isInteger(size)) {
    throw new RangeError(`chunk: the last axis of ${formatShape(x.shape)} must divide into ${count} parts`)
  }
  const shape = x.shape.with(at, size)
  const parts = Array.from({ length: count }, (_, part) => {
    const out = empty(x.backend, shape, x.dtype)
    x.backend.kernels.slice(
      x,
      x.shape.map((_, i) => (i === at ? part * size : 0)),
      out,
    )
    return out
  })
  record({
    name: 'chunk',
    inputs: [x],
    outputs: parts,
    backward: (dys) => [
      concat(
        dys.map((dy) => dy ?? zeros(shape, { backend: x.backend, dtype: x.dtype })),
        at,
      ),
    ],
  })
  return parts
}
