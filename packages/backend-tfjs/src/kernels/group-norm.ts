import type { ImageKernels, View } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import type { Runner, SavedTensors } from '../runner.js'
import { silu, siluAndSlope } from './activation.js'
import { add, mul, sub } from './arithmetic.js'

type GroupNorm = Pick<ImageKernels, 'groupNorm' | 'groupNormBackward'>

/** Letters: B samples, C channels, G groups. */
export function groupNormKernels(runner: Runner): GroupNorm {
  /** A vector of the channels, to be stretched over samples and pixels. */
  const perChannel = (view: View, G: number) => runner.read(view, [1, G, view.shape[0] / G, 1])

  return {
    groupNorm(x, weight, bias, { numGroups: G, epsilon, activation }, out, keep) {
      let saved: SavedTensors | null = null
      const [B, C, H, W] = x.shape
      runner.run(out, () => {
        const rows = runner.read(x, [B * G, (C / G) * H * W])
        const centred = sub(rows, tf.mean(rows, -1, true))
        const inverse = tf.rsqrt(add(tf.mean(tf.square(centred), -1, true), epsilon)) // [B G, 1]
        const normalized = tf.reshape(mul(centred, inverse), [B, G, C / G, H * W])
        if (keep) saved = runner.save([normalized, inverse])
        const pre = add(mul(normalized, perChannel(weight, G)), perChannel(bias, G))
        return tf.reshape(activation === 'silu' ? silu(pre) : pre, [B, C, H, W])
      })
      return saved
    },
    groupNormBackward(x, weight, bias, { numGroups: G, activation }, saved, dout, outputs) {
      const [B, C, H, W] = x.shape
      runner.runAll(outputs, () => {
        const [normalized, inverse] = (saved as SavedTensors).tensors
        const gain = perChannel(weight, G)
        const slope = () => siluAndSlope(add(mul(normalized, gain), perChannel(bias, G))).slope
        const gradient = runner.read(dout, [B, G, C / G, H * W])
        const dpre = activation === 'silu' ? mul(gradient, slope()) : gradient
        const rows = [B * G, (C / G) * H * W]
        const dnormalized = tf.reshape(mul(dpre, gain), rows)
        const n = tf.reshape(normalized, rows)
        const along = tf.mean(mul(dnormalized, n), -1, true) // [B G, 1]
        const centred = sub(dnormalized, add(mul(n, along), tf.mean(dnormalized, -1, true)))
        return {
          ...(outputs.dx && { dx: tf.reshape(mul(centred, inverse), [B, C, H, W]) }),
          ...(outputs.dweight && { dweight: tf.reshape(tf.sum(mul(dpre, normalized), [0, 3]), [C]) }),
          ...(outputs.dbias && { dbias: tf.reshape(tf.sum(dpre, [0, 3]), [C]) }),
        }
      })
    },
  }
}
