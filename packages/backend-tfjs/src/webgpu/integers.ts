import type * as tf from '@tensorflow/tfjs-core'
import { isWebGpu, runElementwise } from './program.js'

/**
 * Moves elements about: a function of tfjs whose result is made of elements of `xs`, all float32 or all int32.
 *
 * On the webgpu engine integers are moved as two halves in float32. Its own ops take them through float32 whole, which
 * rounds beyond 2^24, and its `transpose` of integers does not compile, which it does not tell.
 */
export function moved(xs: readonly tf.Tensor[], move: (xs: tf.Tensor[]) => tf.Tensor): tf.Tensor {
  if (xs[0].dtype !== 'int32' || !isWebGpu()) return move([...xs])
  const high = move(
    xs.map((x) => runElementwise({ name: 'high', value: 'f32(A[index] >> 16u)', dtype: 'float32' }, [x])),
  )
  const low = move(
    xs.map((x) => runElementwise({ name: 'low', value: 'f32(A[index] & 0xffff)', dtype: 'float32' }, [x])),
  )
  const whole = '(i32(A[index]) << 16u) | i32(B[index])'
  return runElementwise({ name: 'whole', value: whole, dtype: 'int32' }, [high, low])
}
