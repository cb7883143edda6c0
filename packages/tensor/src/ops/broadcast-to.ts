import type { Shape } from '../shape.js'
import type { Tensor } from '../tensor.js'
import { add } from './binary.js'
import { zeros } from './create.js'

/**
 * `x` stretched to a shape that it broadcasts to. Copies.
 *
 * @throws RangeError when it does not broadcast to that shape
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  const zero = zeros(shape, { backend: x.backend, dtype: x.dtype })
  const out = add(x, zero)
  zero.dispose()
  return out
}
