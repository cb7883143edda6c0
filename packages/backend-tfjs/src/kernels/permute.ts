import * as tf from '@tensorflow/tfjs-core'

/** Axis i of the result is axis `axes[i]` of `x`. */
export function permuted(x: tf.Tensor, axes: readonly number[]): tf.Tensor {
  return tf.transpose(x, [...axes])
}

/** `[M, N]` to `[N, M]`. */
export function transposed(x: tf.Tensor): tf.Tensor {
  return permuted(x, [1, 0])
}
