import { isFloat } from '../dtype.js'
import type { Tensor } from '../tensor.js'

/**
 * Checks that tensors are of one float type.
 *
 * @throws TypeError otherwise
 */
export function checkFloats(caller: string, tensors: readonly Tensor[]): void {
  const [{ dtype }] = tensors
  if (isFloat(dtype) && tensors.every((tensor) => tensor.dtype === dtype)) return
  const claim = tensors.length === 1 ? 'x must be a float tensor' : 'tensors must be of one float type'
  throw new TypeError(`${caller}: ${claim} (got ${tensors.map((tensor) => tensor.dtype).join(', ')}); cast() converts`)
}
