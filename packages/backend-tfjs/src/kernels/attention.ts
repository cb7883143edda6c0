import type { FusedKernels } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import { mul } from './arithmetic.js'
import type { Runner, SavedTensors } from '../runner.js'
import { softmaxSlope } from './matrix.js'
import { permuted } from './permute.js'
import { product } from './product.js'

/** Letters: B samples, N tokens, D channels, G = B * numHeads. */
export function attentionKernels(runner: Runner): Pick<FusedKernels, 'attention' | 'attentionBackward'> {
  return {
    attention(qkv, numHeads, out, keep) {
      let saved: SavedTensors | null = null
      const [B, N, D] = out.shape
      runner.run(out, () => {
        const [q, k, v] = splitHeads(runner.read(qkv), numHeads, 3)
        const scores = mul(product(q, k, false, true), (D / numHeads) ** -0.5) // [G, N, N]
        const probabilities = tf.softmax(scores)
        if (keep) saved = runner.save([q, k, v, probabilities])
        return joinHeads([product(probabilities, v, false, false)], B, N, numHeads) // [B, N, D]
      })
      return saved
    },
    attentionBackward(qkv, numHeads, out, saved, dout, dqkv) {
      const [B, N, D] = out.shape
      runner.run(dqkv, () => {
        const [q, k, v, probabilities] = (saved as SavedTensors).tensors
        const [dmixed] = splitHeads(runner.read(dout), numHeads, 1) // [G, N, headDim]
        const dv = product(probabilities, dmixed, true, false)
        const dprobabilities = product(dmixed, v, false, true) // [G, N, N]
        const dscores = mul(softmaxSlope(probabilities, dprobabilities), (D / numHeads) ** -0.5)
        const dq = product(dscores, k, false, false)
        const dk = product(dscores, q, true, false)
        return tf.reshape(joinHeads([dq, dk, dv], B, N, numHeads), [...qkv.shape])
      })
    },
  }
}

/** `[B, N, count * D]` to `count` times `[G, N, headDim]`. */
function splitHeads(x: tf.Tensor, numHeads: number, count: number): tf.Tensor[] {
  const [B, N, width] = x.shape as [number, number, number]
  const headDim = width / count / numHeads
  const parts = tf.reshape(permuted(tf.reshape(x, [B * N, count, numHeads * headDim]), [1, 0, 2]), [
    count * B,
    N,
    numHeads,
    headDim,
  ])
  const heads = tf.reshape(permuted(parts, [0, 2, 1, 3]), [count, B * numHeads, N, headDim])
  return count === 1 ? [tf.reshape(heads, [B * numHeads, N, headDim])] : tf.unstack(heads)
}

/** The inverse: `[G, N, headDim]` each to `[B, N, count * D]`. */
function joinHeads(parts: tf.Tensor[], B: number, N: number, numHeads: number): tf.Tensor {
  const headDim = parts[0].shape[2]!
  const count = parts.length
  const D = numHeads * headDim
  const heads = tf.reshape(count === 1 ? parts[0] : tf.concat(parts), [count * B, numHeads, N, headDim])
  const tokens = tf.reshape(permuted(heads, [0, 2, 1, 3]), [count, B * N, D])
  return tf.reshape(permuted(tokens, [1, 0, 2]), [B, N, count * D])
}
