import * as tf from '@tensorflow/tfjs-core'

/** Sum over `axes`, which stay with extent 1. */
export function sumOver(x: tf.Tensor, axes: readonly number[]): tf.Tensor {
  return axes.length === 0 ? x : tf.sum(x, [...axes], true)
}
