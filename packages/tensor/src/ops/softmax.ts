import { isTracked, record } from '../autograd/tape.js'
import { empty, type Tensor } from '../tensor.js'
import { checkFloats } from './check-floats.js'

/**
 * e^x / sum(e^x) over the last axis, computed after subtracting the maximum.
 *
 * @throws RangeError for a scalar
 */
export function softmax(x: Tensor): Tensor {
  checkFloats('softmax', [x])
  if (x.shape.length === 0) throw new RangeError('softmax: x must have an axis (got a scalar)')
  const { backend } = x
  const out = empty(backend, x.shape, x.dtype)
  backend.kernels.softmax(x, out)
  record({
    name: 'softmax',
    inputs: [x],
    outputs: [out],
    saves: isTracked(x) ? [out] : [],
    backward: ([dy]) => {
      const dx = empty(backend, x.shape, x.dtype)
      backend.kernels.softmaxBackward(out, dy!, dx)
      return [dx]
    },
  })
  return out
}
