import { isTracked, record } from '../autograd/tape.js'
import { scope } from '../scope.js'
import { sameShape } from '../shape.js'
import { commonBackend, empty, type Tensor } from '../tensor.js'
import { greater, where } from './binary.js'
import { checkFloats } from './check-floats.js'
import { full, tensor } from './create.js'
import { matmul } from './matmul.js'
import { misfit } from './misfit.js'
import { permute, reshape } from './shape.js'
import { softmax } from './softmax.js'
import { affine, cast } from './unary.js'

export interface CrossAttentionOptions {
  /**
   * How many keys of each sample count, i32 `[B]`, each 1 .. M; what lies behind them is not looked at and gets no gradient. All by
   * default. The values are the caller's to check: they are on the engine.
   */
  readonly lengths?: Tensor | null
}

/**
 * Multi-head attention of tokens to others:
 *
 *   out = softmax(q k^T / sqrt(headDim)) v, for each head
 *
 * @param q `[B, N, D]`, D split into heads as contiguous runs of headDim = D / numHeads
 * @param k `[B, M, D]`
 * @param v `[B, M, D]`
 * @returns `[B, N, D]`
 * @throws RangeError when the extents do not fit, or the width does not split into heads
 *
 * Vaswani et al. 2017, "Attention Is All You Need", eq. 1 and section 3.2.3.
 */
export function crossAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  numHeads: number,
  { lengths = null }: CrossAttentionOptions = {},
): Tensor {
  check(q, k, v, numHeads, lengths)
  const inputs = [q, k, v]
  const backend = commonBackend('crossAttention', lengths === null ? inputs : [...inputs, lengths])
  checkFloats('crossAttention', inputs)
  const { crossAttention: forward, crossAttentionBackward } = backend.kernels
  if (forward === undefined || crossAttentionBackward === undefined) return composed(q, k, v, numHeads, lengths)

  const needed = inputs.some(isTracked)
  const out = empty(backend, q.shape, q.dtype)
  const saved = forward(q, k, v, lengths, numHeads, out, needed)
  record({
    name: 'crossAttention',
    inputs,
    outputs: [out],
    saves: needed ? [...inputs, out, ...(lengths === null ? [] : [lengths])] : [],
    backward: ([dout]) => {
      const [dq, dk, dv] = inputs.map(({ shape, dtype }) => empty(backend, shape, dtype))
      crossAttentionBackward(q, k, v, lengths, numHeads, out, saved, dout!, { dq, dk, dv })
      return [dq, dk, dv]
    },
    release: () => saved?.dispose(),
  })
  return out
}

function composed(q: Tensor, k: Tensor, v: Tensor, numHeads: number, lengths: Tensor | null): Tensor {
  const [B, , D] = q.shape
  const M = k.shape[1]
  const { backend, dtype } = q
  const headDim = D / numHeads
  return scope(() => {
    const heads = (tokens: Tensor) => permute(reshape(tokens, [B, tokens.shape[1], numHeads, headDim]), [0, 2, 1, 3]) // [B, numHeads, count, headDim]
    let scores = affine(matmul(heads(q), heads(k), { transposeB: true }), headDim ** -0.5) // [B, numHeads, N, M]
    let values = heads(v)
    if (lengths !== null) {
      const place = tensor(
        Array.from({ length: M }, (_, i) => i),
        [M],
        { backend, dtype },
      )
      const counts = greater(reshape(cast(lengths, dtype), [B, 1]), place) // [B, M]
      scores = where(reshape(counts, [B, 1, 1, M]), scores, full([], -1e30, { backend, dtype }))
      // What does not count may be anything, and 0 times anything is not always 0.
      values = where(reshape(counts, [B, 1, M, 1]), values, full([], 0, { backend, dtype }))
    }
    const mixed = matmul(softmax(scores), values) // [B, numHeads, N, headDim]
    return reshape(permute(mixed, [0, 2, 1, 3]), q.shape)
  })
}

function check(q: Tensor, k: Tensor, v: Tensor, numHeads: number, lengths: Tensor | null): void {
  const [B, , D] = q.shape
  const fits =
    q.shape.length === 3 &&
    sameShape(k.shape, [B, k.shape[1], D]) &&
    sameShape(v.shape, k.shape) &&
    k.shape[1] > 0 &&
    (lengths === null || (lengths.dtype === 'i32' && sameShape(lengths.shape, [B])))
  if (fits && numHeads > 0 && Number.isInteger(D / numHeads)) return
  throw misfit(
    `crossAttention: q must be [B, N, D], k and v [B, M, D], lengths i32 [B], and D must split into ${numHeads} heads`,
    lengths === null ? [q, k, v] : [q, k, v, lengths],
  )
}
