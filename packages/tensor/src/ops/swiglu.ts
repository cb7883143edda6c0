import { isTracked, record } from '../autograd/tape.js'
import { scope } from '../scope.js'
import { empty, type Tensor } from '../tensor.js'
import { mul } from './binary.js'
import { checkFloats } from './check-floats.js'
import { misfit } from './misfit.js'
import { rowsOf } from './rows-of.js'
import { chunk } from './shape.js'
import { silu } from './unary.js'

/**
 * The gate of a SwiGLU layer:
 *
 *   out = silu(a) * b, where a is the first half of the last axis and b the second
 *
 * @param x `[..., 2 H]`
 * @returns `[..., H]`
 * @throws RangeError when the last axis does not split into two
 *
 * Shazeer 2020, "GLU Variants Improve Transformer", eq. 5.
 */
export function swiglu(x: Tensor): Tensor {
  const width = x.shape.at(-1) ?? 1
  if (width % 2 !== 0) throw misfit(`swiglu: x must be [..., 2 H]`, [x])
  checkFloats('swiglu', [x])
  const { backend } = x
  const { swiglu: forward, swigluBackward } = backend.kernels
  if (forward === undefined || swigluBackward === undefined) {
    return scope(() => {
      const [gate, value] = chunk(x, 2) // 2 x [..., H]
      return mul(silu(gate), value)
    })
  }
  const out = empty(backend, [...x.shape.slice(0, -1), width / 2], x.dtype)
  forward(rowsOf(x), rowsOf(out))
  record({
    name: 'swiglu',
    inputs: [x],
    outputs: [out],
    saves: isTracked(x) ? [x] : [],
    backward: ([dout]) => {
      const dx = empty(backend, x.shape, x.dtype)
      swigluBackward(rowsOf(x), rowsOf(dout!), rowsOf(dx))
      return [dx]
    },
  })
  return out
}
