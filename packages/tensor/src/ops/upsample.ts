import { record } from '../autograd/tape.js'
import { scope } from '../scope.js'
import { empty, type Tensor } from '../tensor.js'
import { checkFloats } from './check-floats.js'
import { misfit } from './misfit.js'
import { broadcastTo } from './reduce.js'
import { reshape } from './shape.js'

/**
 * Images of twice the height and width, each pixel repeated (nearest neighbour): out[b, c, i, j] = x[b, c, i / 2, j / 2],
 * rounded down.
 *
 * @param x `[B, C, H, W]`
 * @returns `[B, C, 2 H, 2 W]`
 * @throws RangeError unless `x` has four axes
 */
export function upsample2x(x: Tensor): Tensor {
  if (x.shape.length !== 4) throw misfit(`upsample2x: x must be [B, C, H, W]`, [x])
  checkFloats('upsample2x', [x])
  const [B, C, H, W] = x.shape
  const { backend } = x
  const { upsample2x: forward, upsample2xBackward } = backend.kernels
  if (forward === undefined || upsample2xBackward === undefined) {
    return scope(() => {
      const rows = B * C * H
      return reshape(broadcastTo(reshape(x, [rows, 1, W, 1]), [rows, 2, W, 2]), [B, C, 2 * H, 2 * W])
    })
  }
  const out = empty(backend, [B, C, 2 * H, 2 * W], x.dtype)
  forward(x, out)
  record({
    name: 'upsample2x',
    inputs: [x],
    outputs: [out],
    backward: ([dout]) => {
      const dx = empty(backend, x.shape, x.dtype)
      upsample2xBackward(dout!, dx)
      return [dx]
    },
  })
  return out
}
