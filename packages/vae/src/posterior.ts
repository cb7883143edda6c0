import {
  add,
  affine,
  clamp,
  exp,
  formatShape,
  mul,
  reshape,
  sameShape,
  scope,
  slice,
  type Tensor,
  tensor,
} from '@dit/tensor'
import type { VaeConfig } from './config.js'

/** A diagonal Gaussian over latents. Both tensors are `[B, C, h, w]`. */
export interface Posterior {
  readonly mean: Tensor
  /** log of the variance, clamped to -30 .. 20. */
  readonly logVariance: Tensor
}

/** Beyond these a variance is 0 or infinite to float32 for all purposes. */
const [LEAST, MOST] = [-30, 20]

/** The posterior whose mean is the first half of the channels of `moments` `[B, 2 C, h, w]`, and log variance the second. */
export function posteriorOf(moments: Tensor): Posterior {
  return scope(() => {
    const C = moments.shape[1] / 2
    return { mean: slice(moments, 1, 0, C), logVariance: clamp(slice(moments, 1, C, C), LEAST, MOST) }
  })
}

/**
 * A draw from a posterior: mean + exp(logVariance / 2) noise.
 *
 * @param noise standard normal, of the shape of the mean
 * @returns `[B, C, h, w]`, not scaled
 * @throws RangeError when the shapes differ
 *
 * Kingma & Welling 2014, "Auto-Encoding Variational Bayes", eq. 10.
 */
export function samplePosterior({ mean, logVariance }: Posterior, noise: Tensor): Tensor {
  if (!sameShape(noise.shape, mean.shape)) {
    throw new RangeError(
      `samplePosterior: noise must have the shape of the mean (got ${formatShape(noise.shape)} and ${formatShape(mean.shape)})`,
    )
  }
  return scope(() => add(mean, mul(exp(affine(logVariance, 0.5, 0)), noise)))
}

/** The most likely latents of a posterior, its mean, as a tensor of its own over the same memory. */
export function modeOfPosterior({ mean }: Posterior): Tensor {
  return reshape(mean, mean.shape)
}

/** What a diffusion model works on: (z - shiftFactor) scalingFactor, or by channels (z - latentsMean) scalingFactor / latentsStd. */
export function scaleLatents(config: VaeConfig, z: Tensor): Tensor {
  const { scalingFactor, shiftFactor, latentsMean: mean, latentsStd: deviation } = config
  if (mean === undefined || deviation === undefined) return affine(z, scalingFactor, -shiftFactor * scalingFactor)
  return scope(() => {
    const factors = deviation.map((value) => scalingFactor / value)
    const shifts = mean.map((value, c) => -value * factors[c])
    return add(mul(z, channels(factors, z)), channels(shifts, z))
  })
}

/** What the decoder works on: latents / scalingFactor + shiftFactor, or by channels latents latentsStd / scalingFactor + latentsMean. */
export function unscaleLatents(config: VaeConfig, latents: Tensor): Tensor {
  const { scalingFactor, shiftFactor, latentsMean: mean, latentsStd: deviation } = config
  if (mean === undefined || deviation === undefined) return affine(latents, 1 / scalingFactor, shiftFactor)
  return scope(() => {
    const factors = deviation.map((value) => value / scalingFactor)
    return add(mul(latents, channels(factors, latents)), channels(mean, latents))
  })
}

/** One number a channel, `[1, C, 1, 1]`. */
function channels(values: readonly number[], { backend }: Tensor): Tensor {
  return tensor(Float32Array.from(values), [1, values.length, 1, 1], { backend })
}
