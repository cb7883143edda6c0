import { isTracked, record } from '../autograd/tape.js'
import { scope } from '../scope.js'
import { sameShape } from '../shape.js'
import { commonBackend, empty, type Tensor } from '../tensor.js'
import { add, mul } from './binary.js'
import { checkFloats } from './check-floats.js'
import { misfit } from './misfit.js'
import { reshape } from './shape.js'

/**
 * Residual connection through a gate given per sample:
 *
 *   out = x + gate * h
 *
 * @param x    `[B, N, D]`
 * @param gate `[B, D]`
 * @param h    `[B, N, D]`
 * @returns `[B, N, D]`
 * @throws RangeError when the extents do not fit
 *
 * Peebles & Xie 2022, section 3.2 (adaLN-Zero, where the gate is called alpha).
 */
export function gatedResidual(x: Tensor, gate: Tensor, h: Tensor): Tensor {
  const [B, , D] = x.shape
  if (x.shape.length !== 3 || !sameShape(gate.shape, [B, D]) || !sameShape(h.shape, x.shape)) {
    throw misfit(`gatedResidual: x and h must be [B, N, D] and gate [B, D]`, [x, h, gate])
  }
  const backend = commonBackend('gatedResidual', [x, gate, h])
  checkFloats('gatedResidual', [x, gate, h])
  const { gatedResidual: forward, gatedResidualBackward } = backend.kernels
  if (forward === undefined || gatedResidualBackward === undefined) {
    return scope(() => add(x, mul(reshape(gate, [B, 1, D]), h)))
  }
  const needsBranch = isTracked(gate) || isTracked(h)
  const out = empty(backend, x.shape, x.dtype)
  forward(x, gate, h, out)
  record({
    name: 'gatedResidual',
    inputs: [x, gate, h],
    outputs: [out],
    saves: needsBranch ? [gate, h] : [],
    backward: ([dout]) => {
      if (!needsBranch) return [dout, null, null]
      const [dgate, dh] = [gate, h].map((input) => empty(backend, input.shape, input.dtype))
      gatedResidualBackward(gate, h, dout!, { dgate, dh })
      return [dout!, dgate, dh]
    },
  })
  return out
}
