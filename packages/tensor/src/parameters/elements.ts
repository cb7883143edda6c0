import { bytesPerElement } from '../dtype.js'
import type { Tensor } from '../tensor.js'

/**
 * A range of a tensor's elements in row-major order, `[length]`, over the same memory: part of a segment, for kernels that
 * work in place. The caller disposes of it.
 *
 * @throws RangeError when the range is not inside, or is a true part on a backend without views
 */
export function elements(x: Tensor, start: number, length: number): Tensor {
  const isInside = Number.isInteger(start) && Number.isInteger(length) && start >= 0 && start + length <= x.size
  if (!isInside || length < 1) {
    throw new RangeError(`elements: the range must lie in 0..${x.size} (got ${length} elements from ${start})`)
  }
  if (length < x.size && !x.backend.supportsViews) {
    throw new RangeError(`elements: ${x.backend.name} has no views of a part of a tensor`)
  }
  return x.view([length], x.byteOffset + start * bytesPerElement(x.dtype))
}
