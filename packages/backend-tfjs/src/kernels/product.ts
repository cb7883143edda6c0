import * as tf from '@tensorflow/tfjs-core'

/**
 * Product of stacks of matrices, `[G, M, K]` times `[G, K, N]`, either transposed. A stack of one is multiplied as plain
 * matrices, transposed beforehand: the wasm engine is fast only then (40 GFLOP/s against 1.5 to 3.3).
 */
export function product(a: tf.Tensor, b: tf.Tensor, transposeA: boolean, transposeB: boolean): tf.Tensor {
  if (a.shape[0] !== 1) return tf.matMul(a, b, transposeA, transposeB)
  const [left, right] = [asMatrix(a), asMatrix(b)]
  const out = multiply(transposeA ? tf.transpose(left) : left, transposeB ? tf.transpose(right) : right)
  return tf.reshape(out, [1, ...out.shape])
}

/** Plain product of two matrices, `[M, K]` times `[K, N]`, with an optional bias `[N]` added to every row. */
export function multiply(a: tf.Tensor, b: tf.Tensor, bias: tf.Tensor | null = null): tf.Tensor {
  const right = rightOperand(b)
  return bias === null ? tf.matMul(a, right) : tf.fused.matMul({ a, b: right, bias })
}

/** Shape under which each data was last a right operand. */
const packedShapes = new WeakMap<object, string>()

/**
 * The wasm engine keeps the packed form of a right operand for as long as its data lives and looks it up by the data
 * alone: under another shape it would be taken for the wrong matrix. A copy is new data.
 */
function rightOperand(b: tf.Tensor): tf.Tensor {
  const key = b.shape.join()
  const packed = packedShapes.get(b.dataId)
  if (packed !== undefined && packed !== key) return rightOperand(tf.mul(b, 1))
  packedShapes.set(b.dataId, key)
  return b
}

function asMatrix(x: tf.Tensor): tf.Tensor {
  return tf.reshape(x, x.shape.slice(1))
}
