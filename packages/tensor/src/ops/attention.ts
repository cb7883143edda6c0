import { isTracked, record } from '../autograd/tape.js'
import { scope } from '../scope.js'
import { empty, type Tensor } from '../tensor.js'
import { checkFloats } from './check-floats.js'
import { crossAttention } from './cross-attention.js'
import { misfit } from './misfit.js'
import { chunk } from './shape.js'

/**
 * Multi-head self-attention without a mask:
 *
 *   out = softmax(q k^T / sqrt(headDim)) v, for each head
 *
 * @param qkv `[B, N, 3 D]`: q, then k, then v, each D wide and split into heads as contiguous runs of headDim = D / numHeads
 * @returns `[B, N, D]`
 * @throws RangeError when the width does not split into q, k, v and heads
 *
 * Vaswani et al. 2017, "Attention Is All You Need", eq. 1.
 */
export function attention(qkv: Tensor, numHeads: number): Tensor {
  const [B, N, width] = qkv.shape
  const headDim = width / 3 / numHeads
  if (qkv.shape.length !== 3 || !Number.isInteger(numHeads) || !Number.isInteger(headDim) || numHeads < 1) {
    throw misfit(`attention: qkv must be [B, N, 3 * ${numHeads} * headDim]`, [qkv])
  }
  checkFloats('attention', [qkv])
  const { backend } = qkv
  const { attention: forward, attentionBackward } = backend.kernels
  if (forward === undefined || attentionBackward === undefined) {
    return scope(() => {
      const [q, k, v] = chunk(qkv, 3) // 3 x [B, N, D]
      return crossAttention(q, k, v, numHeads)
    })
  }

  const needed = isTracked(qkv)
  const out = empty(backend, [B, N, width / 3], qkv.dtype)
  const saved = forward(qkv, numHeads, out, needed)
  record({
    name: 'attention',
    inputs: [qkv],
    outputs: [out],
    saves: needed ? [qkv, out] : [],
    backward: ([dout]) => {
      const dqkv = empty(backend, qkv.shape, qkv.dtype)
      attentionBackward(qkv, numHeads, out, saved, dout!, dqkv)
      return [dqkv]
    },
    release: () => saved?.dispose(),
  })
  return out
}
