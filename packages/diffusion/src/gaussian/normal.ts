import { add, affine, exp, mean, mul, scope, square, sub, type Tensor } from '@dit/tensor'

/** A diagonal normal distribution by its mean and the log of its variance; both broadcast. */
export interface LogNormal {
  readonly mean: Tensor
  readonly logVariance: Tensor
}

/** A diagonal normal distribution. Where the variances do not depend on the pixel they are `[B, 1, 1, 1]`. */
export interface MeanVariance extends LogNormal {
  readonly variance: Tensor
}

/**
 * Kullback-Leibler divergence of `b` from `a`, element by element, in nats.
 *
 *   KL(a || b) = (logVarB - logVarA - 1 + exp(logVarA - logVarB) + (meanA - meanB)^2 exp(-logVarB)) / 2
 *
 * @returns of the shape that the means and log variances broadcast to; the caller disposes of it
 * @throws RangeError when the shapes do not broadcast
 */
export function normalKl(a: LogNormal, b: LogNormal): Tensor {
  return scope(() => {
    const logRatio = sub(a.logVariance, b.logVariance)
    const spread = sub(exp(logRatio), logRatio)
    const distance = mul(square(sub(a.mean, b.mean)), exp(affine(b.logVariance, -1)))
    return affine(add(spread, distance), 0.5, -0.5)
  })
}

/** Mean over all axes but the first: `[B, ...]` to `[B]`. */
export function meanPerSample(x: Tensor): Tensor {
  return mean(
    x,
    x.shape.slice(1).map((_, i) => i + 1),
  )
}

/** From natural units to bits, per sample: `[B, ...]` to `[B]`. */
export function bitsPerSample(nats: Tensor): Tensor {
  return scope(() => affine(meanPerSample(nats), 1 / Math.LN2))
}
