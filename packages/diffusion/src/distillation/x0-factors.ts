import type { NoiseLevel } from '@dit/schedules'
import type { Prediction } from '../denoiser.js'

/** How an estimate of x0 is made: fromXt xt + fromOutput output. */
export interface X0Factors {
  readonly fromXt: number
  readonly fromOutput: number
}

/**
 * The estimate of x0 as a sum of xt and the network's output, whatever it predicts: the numbers behind `readPrediction`, for batches
 * whose samples have a level each.
 *
 *   epsilon    xt / alpha - sigma / alpha out
 *   x0         out
 *   v          (alpha xt - sigma sqrt(n) out) / n       n = alpha^2 + sigma^2
 *   velocity   (sigma out - dSigma xt) / d              d = sigma dAlpha - alpha dSigma
 *   score      xt / alpha + sigma^2 / alpha out
 *
 * @throws RangeError for a velocity at a level without derivatives, and for a noise or a score where alpha is 0
 */
export function x0Factors(prediction: Prediction, level: NoiseLevel): X0Factors {
  const { alpha, sigma, dAlpha, dSigma, velocityScale = 1 } = level
  if (prediction === 'x0') return { fromXt: 0, fromOutput: 1 }
  if (prediction === 'v') {
    const n = alpha * alpha + sigma * sigma
    return { fromXt: alpha / n, fromOutput: -sigma / Math.sqrt(n) }
  }
  if (prediction === 'velocity') {
    if (dAlpha === undefined || dSigma === undefined) {
      throw new RangeError('x0Factors: a velocity needs dAlpha and dSigma of the level, which this path does not have')
    }
    // In the limit of an infinite dSigma, which vp has at the data, xt is x0.
    if (!Number.isFinite(dSigma)) return { fromXt: 1 / alpha, fromOutput: 0 }
    const d = sigma * dAlpha - alpha * dSigma
    return { fromXt: -dSigma / d, fromOutput: (velocityScale * sigma) / d }
  }
  if (alpha === 0) {
    throw new RangeError(
      `x0Factors: where alpha is 0, ${prediction} says nothing of x0 (at timestep ${level.timestep}); start at a level with some signal`,
    )
  }
  if (prediction === 'score') return { fromXt: 1 / alpha, fromOutput: (sigma * sigma) / alpha }
  return { fromXt: 1 / alpha, fromOutput: -sigma / alpha }
}
