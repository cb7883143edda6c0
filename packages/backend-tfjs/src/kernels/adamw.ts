import type { FusedKernels } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import type { Runner } from '../runner.js'

export function adamwKernel(runner: Runner): Pick<FusedKernels, 'adamw'> {
  return {
    adamw(parameter, gradient, m, v, ema, step) {
      const { learningRate, beta1, beta2, epsilon, weightDecay, gradientScale, emaDecay } = step
      runner.runAll({ parameter, m, v, ema }, () => {
        const g = gradientScale === 1 ? runner.read(gradient) : tf.mul(runner.read(gradient), gradientScale)
        const old = runner.read(parameter)
        const first = tf.add(tf.mul(runner.read(m), beta1), tf.mul(g, 1 - beta1))
        const second = tf.add(tf.mul(runner.read(v), beta2), tf.mul(tf.square(g), 1 - beta2))
        const rootScale = Math.sqrt(1 - beta2 ** step.step)
        const denominator = tf.add(tf.sqrt(second), epsilon * rootScale)
        const decayed = weightDecay === 0 ? old : tf.mul(old, 1 - learningRate * weightDecay)
        const change = tf.mul(tf.div(first, denominator), (learningRate * rootScale) / (1 - beta1 ** step.step))
        const updated = tf.sub(decayed, change)
        const averaged = ema && tf.add(tf.mul(runner.read(ema), emaDecay), tf.mul(updated, 1 - emaDecay))
        return { parameter: updated, m: first, v: second, ...(averaged && { ema: averaged }) }
      })
    },
  }
}
