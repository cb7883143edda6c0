import type { ImageKernels } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import type { Runner } from '../runner.js'

type Upsample = Pick<ImageKernels, 'upsample2x' | 'upsample2xBackward'>

export function upsampleKernels(runner: Runner): Upsample {
  return {
    upsample2x(x, out) {
      const [B, C, H, W] = x.shape
      runner.run(out, () => {
        const pixels = tf.tile(runner.read(x, [B * C * H, 1, W, 1]), [1, 2, 1, 2])
        return tf.reshape(pixels, [B, C, 2 * H, 2 * W])
      })
    },
    upsample2xBackward(dout, dx) {
      const [B, C, H, W] = dx.shape
      runner.run(dx, () => {
        const columns = tf.sum(runner.read(dout, [B * C * H, 2, W, 2]), -1) // [B C H, 2, W]
        return tf.reshape(tf.sum(columns, 1), [B, C, H, W])
      })
    },
  }
}
