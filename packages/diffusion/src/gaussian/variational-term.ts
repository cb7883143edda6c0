import { affine, neg, scope, type Tensor, tensor, where } from '@dit/tensor'
import { discretisedGaussianLogLikelihood } from './discretised-gaussian.js'
import type { GaussianDiffusion } from './gaussian-diffusion.js'
import {
  type DenoisingOptions,
  meanLogVariance,
  type NoisyBatch,
  type OutputParts,
  splitOutput,
} from './model-mean-variance.js'
import { bitsPerSample, type LogNormal, normalKl } from './normal.js'
import { checkBatch } from './per-sample.js'
import { posterior } from './posterior.js'

/** Noisy samples and what they were made from, `[B, C, H, W]` each. */
export interface KnownBatch extends NoisyBatch {
  readonly x0: Tensor
}

/**
 * One term of the variational bound per sample, in bits per dimension.
 *
 *   KL(q(x[t-1] | xt, x0) || p(x[t-1] | xt))       t > 0
 *   -log p(x0 | x1)                                t = 0, over 8-bit values
 *
 * The likelihood at t = 0 treats the data as 256 levels in [-1, 1], also where they are latents, as the reference
 * implementation does. In float32 it loses digits for a model that is several standard deviations off.
 *
 * @param modelOutput  what the model returned for `xt`; see `modelMeanVariance`
 * @returns `bits` `[B]` and the estimate `x0` `[B, C, H, W]`; the caller disposes of both
 * @throws RangeError when a shape does not fit or a timestep is out of range
 *
 * Ho et al. 2020, eq. 5 and 13.
 */
export function variationalTerm(
  diffusion: GaussianDiffusion,
  modelOutput: Tensor,
  batch: KnownBatch,
  options: DenoisingOptions = {},
): { readonly bits: Tensor; readonly x0: Tensor } {
  checkBatch('variationalTerm', diffusion, batch.timesteps, { x0: batch.x0, xt: batch.xt })
  return scope(() =>
    termOfParts(diffusion, splitOutput('variationalTerm', diffusion, modelOutput, batch.xt), batch, options),
  )
}

/** `variationalTerm` from an output that is already cut in two. */
export function termOfParts(
  diffusion: GaussianDiffusion,
  parts: OutputParts,
  batch: KnownBatch,
  options: DenoisingOptions,
): { readonly bits: Tensor; readonly x0: Tensor } {
  const { x0, timesteps } = batch
  return scope(() => {
    const model = meanLogVariance(diffusion, parts, batch, options)
    // The host knows the timesteps: mostly no sample, and in the last step of a bound every sample, is at t = 0.
    const isFirst = Float64Array.from(timesteps, (timestep) => (timestep === 0 ? 1 : 0))
    const divergence = () => bitsPerSample(normalKl(posterior(diffusion, batch), model))
    if (!isFirst.includes(1)) return { bits: divergence(), x0: model.x0 }
    const surprise = decoderBits(x0, model)
    if (!isFirst.includes(0)) return { bits: surprise, x0: model.x0 }
    const condition = tensor(isFirst, [isFirst.length], { backend: x0.backend, dtype: x0.dtype })
    return { bits: where(condition, surprise, divergence()), x0: model.x0 }
  })
}

function decoderBits(x0: Tensor, { mean, logVariance }: LogNormal): Tensor {
  return bitsPerSample(neg(discretisedGaussianLogLikelihood(x0, mean, affine(logVariance, 0.5))))
}
