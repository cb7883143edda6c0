import type { FusedKernels } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import { add, mul, sub } from './arithmetic.js'
import type { Runner, SavedTensors } from '../runner.js'

type LayerNorm = Pick<FusedKernels, 'layerNormModulate' | 'layerNormModulateBackward'>

/** Letters: B samples, N tokens, D channels. */
export function layerNormKernels(runner: Runner): LayerNorm {
  return {
    layerNormModulate(x, shift, scale, epsilon, out, keep) {
      let saved: SavedTensors | null = null
      const [B, , D] = x.shape
      runner.run(out, () => {
        const tokens = runner.read(x)
        const centred = sub(tokens, mul(tf.sum(tokens, -1, true), 1 / D)) // [B, N, D]
        const variance = mul(tf.sum(tf.square(centred), -1, true), 1 / D) // [B, N, 1]
        const inverse = tf.rsqrt(add(variance, epsilon)) // [B, N, 1]
        const normalized = mul(centred, inverse) // [B, N, D]
        if (keep) saved = runner.save([normalized, inverse])
        const gain = add(runner.read(scale, [B, 1, D]), 1)
        return add(mul(normalized, gain), runner.read(shift, [B, 1, D]))
      })
      return saved
    },
    layerNormModulateBackward(_x, scale, _epsilon, saved, dout, outputs) {
      const [B, , D] = dout.shape
      runner.runAll(outputs, () => {
        const [normalized, inverse] = (saved as SavedTensors).tensors
        const gradient = runner.read(dout)
        const dnormalized = mul(gradient, add(runner.read(scale, [B, 1, D]), 1)) // [B, N, D]
        const mean = mul(tf.sum(dnormalized, -1, true), 1 / D) // [B, N, 1]
        const slope = mul(tf.sum(mul(dnormalized, normalized), -1, true), 1 / D) // [B, N, 1]
        const centred = sub(dnormalized, add(mul(normalized, slope), mean))
        return {
          dx: mul(centred, inverse),
          dshift: tf.sum(gradient, 1),
          dscale: tf.sum(mul(gradient, normalized), 1),
        }
      })
    },
  }
}
