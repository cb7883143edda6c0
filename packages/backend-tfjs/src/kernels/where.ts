import type { Shape } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'

/** `tf.where` of three of one shape; the webgpu engine has it up to rank 4. */
export function where(test: tf.Tensor, a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  if (a.rank <= 4) return tf.where(test, a, b)
  const flat = [test, a, b].map((x) => tf.reshape(x, [a.size]))
  return tf.reshape(tf.where(flat[0], flat[1], flat[2]), a.shape)
}

export function constant(shape: Shape, value: number, dtype: 'float32' | 'int32' = 'float32'): tf.Tensor {
  return tf.fill(shape.slice(), value, dtype)
}
