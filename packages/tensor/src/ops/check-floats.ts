import { isFloat, isHalf } from '../dtype.js'
import type { Tensor } from '../tensor.js'

/**
 * Checks that tensors are of one float type.
 *
 * @throws TypeError otherwise
 */
export function checkFloats(caller: string, tensors: readonly Tensor[]): void {
  const [{ dtype }] = tensors
  refuseHalves(caller, tensors)
  if (isFloat(dtype) && tensors.every((tensor) => tensor.dtype === dtype)) return
  const claim = tensors.length === 1 ? 'x must be a float tensor' : 'tensors must be of one float type'
  throw new TypeError(`${caller}: ${claim} (got ${tensors.map((tensor) => tensor.dtype).join(', ')}); cast() converts`)
}

/**
 * Checks that no tensor is in half precision.
 *
 * @throws TypeError otherwise
 */
export function refuseHalves(caller: string, tensors: readonly Tensor[]): void {
  const half = tensors.find(({ dtype }) => isHalf(dtype))
  if (half === undefined) return
  throw new TypeError(`${caller}: a tensor in half precision can only be the weight of linear (got ${half.dtype})`)
}
