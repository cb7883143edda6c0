/** Extents of a tensor, outermost first; the last axis is contiguous. A scalar has shape `[]`. */
export type Shape = readonly number[]

/** Number of elements: the product of the extents, 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1
  for (const extent of shape) size *= extent
  return size
}

/** `[2, 3]`, as error messages print shapes. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`
}

/** True where both have the same extents. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis])
}

/**
 * Checks that every extent is a non-negative integer.
 *
 * @throws RangeError otherwise
 */
export function checkShape(caller: string, shape: Shape): void {
  for (const extent of shape) {
    if (!Number.isSafeInteger(extent) || extent < 0) {
      throw new RangeError(`${caller}: extents must be non-negative integers (shape is ${formatShape(shape)})`)
    }
  }
}

/**
 * Axis counted from the front: -1 is the last one.
 *
 * @throws RangeError when there is no such axis
 */
export function resolveAxis(caller: string, axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(axis) || resolved < 0 || resolved >= rank) {
    throw new RangeError(`${caller}: axis must be between ${-rank} and ${rank - 1} (got ${axis})`)
  }
  return resolved
}

/**
 * Shape of an element-wise result: axes are aligned at the end, and an extent of 1 stretches to the other's.
 *
 * @throws RangeError when two extents differ and neither is 1
 */
export function broadcastShapes(caller: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length)
  const out = new Array<number>(rank)
  for (let axis = 0; axis < rank; axis++) {
    const x = a[axis - (rank - a.length)] ?? 1
    const y = b[axis - (rank - b.length)] ?? 1
    if (x !== y && x !== 1 && y !== 1) {
      throw new RangeError(`${caller}: shapes must broadcast (got ${formatShape(a)} and ${formatShape(b)})`)
    }
    out[axis] = x === 1 ? y : x
  }
  return out
}

/** Axes of `out` along which `shape` was stretched by broadcasting (also those it did not have). */
export function stretchedAxes(shape: Shape, out: Shape): number[] {
  const missing = out.length - shape.length
  return out.flatMap((extent, axis) => (axis < missing || (shape[axis - missing] === 1 && extent !== 1) ? [axis] : []))
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis]
  }
  return strides
}
