import { isTracked, record } from '../autograd/tape.js'
import { scope } from '../scope.js'
import { formatShape } from '../shape.js'
import { empty, type Tensor } from '../tensor.js'
import { checkFloats } from './check-floats.js'
import { matmul } from './matmul.js'
import { permute, reshape, slice } from './shape.js'
import { softmax } from './softmax.js'
import { affine } from './unary.js'

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
    throw new RangeError(`attention: qkv must be [B, N, 3 * ${numHeads} * headDim] (got ${formatShape(qkv.shape)})`)
  }
  checkFloats('attention', [qkv])
  const { backend } = qkv
  const { attention: forward, attentionBackward } = backend.kernels
  if (forward === undefined || attentionBackward === undefined) return composed(qkv, numHeads, headDim)

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

function composed(qkv: Tensor, numHeads: number, headDim: number): Tensor {
  const [B, N] = qkv.shape
  return scope(() => {
    const split = permute(reshape(qkv, [B, N, 3, numHeads, headDim]), [2, 0, 3, 1, 4]) // [3, B, numHeads, N, headDim]
    const [q, k, v] = [0, 1, 2].map((i) => reshape(slice(split, 0, i, 1), [B, numHeads, N, headDim]))
    const scores = affine(matmul(q, k, { transposeB: true }), headDim ** -0.5) // [B, numHeads, N, N]
    const mixed = matmul(softmax(scores), v) // [B, numHeads, N, headDim]
    return reshape(permute(mixed, [0, 2, 1, 3]), [B, N, numHeads * headDim]) // [B, N, D]
  })
}
