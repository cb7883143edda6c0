import type { FusedKernels } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import { add, div, mul, sub } from './arithmetic.js'
import type { Runner } from '../runner.js'

export function adamwKernel(runner: Runner): Pick<FusedKernels, 'adamw'> {
  return {
    adamw(parameter, gradient, m, v, ema, step) {
      const { learningRate, beta1, beta2, epsilon, weightDecay, gradientScale, emaDecay } = step
      runner.runAll({ parameter, m, v, ema }, () => {
        const g = gradientScale === 1 ? runner.read(gradient) : mul(runner.read(gradient), gradientScale)
        const old = runner.read(parameter)
        const first = add(mul(runner.read(m), beta1), mul(g, 1 - beta1))
        const second = add(mul(runner.read(v), beta2), mul(tf.square(g), 1 - beta2))
        const rootScale = Math.sqrt(1 - beta2 ** step.step)
        const denominator = add(tf.sqrt(second), epsilon * rootScale)
        const decayed = weightDecay === 0 ? old : mul(old, 1 - learningRate * weightDecay)
        const change = mul(div(first, denominator), (learningRate * rootScale) / (1 - beta1 ** step.step))
        const updated = sub(decayed, change)
        const averaged = ema && add(mul(runner.read(ema), emaDecay), mul(updated, 1 - emaDecay))
        return { parameter: updated, m: first, v: second, ...(averaged && { ema: averaged }) }
      })
    },
  }
}
