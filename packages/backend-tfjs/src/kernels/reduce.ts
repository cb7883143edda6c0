import * as tf from '@tensorflow/tfjs-core'

/** Sum over `axes`, which stay with extent 1. */
export function sumOver(x: tf.Tensor, axes: readonly number[]): tf.Tensor {
  return axes.length === 0 ? x : tf.sum(x, [...axes], true)
}

/** Sum of the rows of `[M, D]` as `[1, D]`: as a product with ones, which is the faster way. */
export function sumRows(x: tf.Tensor): tf.Tensor {
  return tf.matMul(tf.ones([1, x.shape[0]]), x)
}
