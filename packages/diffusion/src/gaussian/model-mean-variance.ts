import {
  add,
  affine,
  clamp,
  div,
  exp,
  formatShape,
  mul,
  reshape,
  sameShape,
  scope,
  slice,
  sub,
  type Tensor,
} from '@dit/tensor'
import { type GaussianDiffusion, hasLearnedVariance } from './gaussian-diffusion.js'
import type { LogNormal, MeanVariance } from './normal.js'
import { checkBatch, perSample } from './per-sample.js'
import { posteriorMean } from './posterior.js'

/** p(x[t-1] | xt) as the model sees it. */
export interface ModelMeanVariance extends MeanVariance {
  /** The model's estimate of x0, after `denoise` and clipping; `[B, C, H, W]`. */
  readonly x0: Tensor
}

export interface DenoisingOptions {
  /**
   * Clamp the estimate of x0 to [-1, 1]. On by default, as in the loops of the reference implementation: right for
   * pixels. Latents are not bounded by 1: turn it off for them.
   */
  readonly clipDenoised?: boolean
  /** Replaces the estimate of x0, before it is clamped. Called inside a `scope`. */
  readonly denoise?: (x0: Tensor) => Tensor
}

/** Samples under way: `xt` `[B, C, H, W]` and timesteps `[B]` in 0 .. numTimesteps - 1. */
export interface NoisyBatch {
  readonly xt: Tensor
  readonly timesteps: Int32Array
}

/**
 * Mean and variance of p(x[t-1] | xt), and the estimate of x0 behind them, from what the model returned.
 *
 *   x0          = output                                               meanType x0
 *               = sqrt(1 / alphaBar) xt - sqrt(1 / alphaBar - 1) output     otherwise
 *   mean        = coef1[t] x0 + coef2[t] xt                            as in `posterior`
 *   logVariance = f log(beta[t]) + (1 - f) log(posteriorVariance[t])   with f = (v + 1) / 2, learned
 *
 * v are the second C channels of the output; f is not clamped. At t = 0 the posterior variance is 0 and that of t = 1
 * stands in. Fixed variances come from the tables.
 *
 * @param modelOutput  `[B, 2 * C, H, W]` where the variance is learned, else `[B, C, H, W]`
 * @returns mean and x0 `[B, C, H, W]`; variance and log variance alike, but `[B, 1, 1, 1]` where fixed; the caller
 *   disposes of them
 * @throws RangeError when a shape does not fit or a timestep is out of range
 *
 * Ho et al. 2020, eq. 7 and 15; Nichol and Dhariwal 2021, eq. 15 (learned range).
 */
export function modelMeanVariance(
  diffusion: GaussianDiffusion,
  modelOutput: Tensor,
  { xt, timesteps }: NoisyBatch,
  options: DenoisingOptions = {},
): ModelMeanVariance {
  checkBatch('modelMeanVariance', diffusion, timesteps, { xt })
  return scope(() => {
    const parts = splitOutput('modelMeanVariance', diffusion, modelOutput, xt)
    const { mean, logVariance, x0 } = meanLogVariance(diffusion, parts, { xt, timesteps }, options)
    const table = fixedVariances(diffusion)?.variance
    return { mean, variance: table ? perSample(table, timesteps, xt) : exp(logVariance), logVariance, x0 }
  })
}

/**
 * Estimate of x0 from an estimate of the noise: sqrt(1 / alphaBar) xt - sqrt(1 / alphaBar - 1) noise.
 *
 * @returns `[B, C, H, W]`; the caller disposes of it
 * @throws RangeError when shapes differ or a timestep is out of range
 *
 * Ho et al. 2020, eq. 15.
 */
export function x0FromNoise(
  diffusion: GaussianDiffusion,
  { xt, timesteps, noise }: NoisyBatch & { readonly noise: Tensor },
): Tensor {
  checkBatch('x0FromNoise', diffusion, timesteps, { xt, noise })
  const { sqrtRecipAlphaBar, sqrtRecipM1AlphaBar } = diffusion.tables
  return scope(() =>
    sub(
      mul(perSample(sqrtRecipAlphaBar, timesteps, xt), xt),
      mul(perSample(sqrtRecipM1AlphaBar, timesteps, xt), noise),
    ),
  )
}

/**
 * The noise that turned x0 into xt: the inverse of `x0FromNoise`.
 *
 *   noise = (sqrt(1 / alphaBar) xt - x0) / sqrt(1 / alphaBar - 1)
 *
 * @returns `[B, C, H, W]`; the caller disposes of it
 * @throws RangeError when shapes differ or a timestep is out of range
 */
export function noiseFromX0(
  diffusion: GaussianDiffusion,
  { xt, timesteps, x0 }: NoisyBatch & { readonly x0: Tensor },
): Tensor {
  checkBatch('noiseFromX0', diffusion, timesteps, { xt, x0 })
  const { sqrtRecipAlphaBar, sqrtRecipM1AlphaBar } = diffusion.tables
  return scope(() =>
    div(sub(mul(perSample(sqrtRecipAlphaBar, timesteps, xt), xt), x0), perSample(sqrtRecipM1AlphaBar, timesteps, xt)),
  )
}

/** The output's mean channels, and its variance channels where the variance is learned. */
export interface OutputParts {
  readonly prediction: Tensor
  readonly v: Tensor | null
}

/** Cuts a model output in two along the channels, where it has two parts. */
export function splitOutput(
  caller: string,
  diffusion: GaussianDiffusion,
  modelOutput: Tensor,
  xt: Tensor,
): OutputParts {
  const isLearned = hasLearnedVariance(diffusion)
  const channels = xt.shape[1]
  const expected = isLearned ? xt.shape.with(1, 2 * channels) : xt.shape
  if (!sameShape(modelOutput.shape, expected)) {
    throw new RangeError(
      `${caller}: with varianceType ${diffusion.varianceType} and xt ${formatShape(xt.shape)} the model must return ` +
        `${formatShape(expected)} (got ${formatShape(modelOutput.shape)})`,
    )
  }
  if (!isLearned) return { prediction: modelOutput, v: null }
  return { prediction: slice(modelOutput, 1, 0, channels), v: slice(modelOutput, 1, channels, channels) }
}

/** `modelMeanVariance` without the variance itself. */
export function meanLogVariance(
  diffusion: GaussianDiffusion,
  { prediction, v }: OutputParts,
  { xt, timesteps }: NoisyBatch,
  options: DenoisingOptions,
): LogNormal & { readonly x0: Tensor } {
  return scope(() => {
    const x0 = estimateX0(diffusion, prediction, { xt, timesteps }, options)
    const mean = posteriorMean(diffusion, x0, xt, timesteps)
    return { mean, logVariance: modelLogVariance(diffusion, v, xt, timesteps), x0 }
  })
}

function estimateX0(
  diffusion: GaussianDiffusion,
  prediction: Tensor,
  { xt, timesteps }: NoisyBatch,
  { clipDenoised = true, denoise }: DenoisingOptions,
): Tensor {
  return scope(() => {
    let x0 = diffusion.meanType === 'x0' ? prediction : x0FromNoise(diffusion, { xt, timesteps, noise: prediction })
    if (denoise !== undefined) x0 = denoise(x0)
    return clipDenoised ? clamp(x0, -1, 1) : reshape(x0, x0.shape)
  })
}

function modelLogVariance(diffusion: GaussianDiffusion, v: Tensor | null, xt: Tensor, timesteps: Int32Array): Tensor {
  const { logBetas, posteriorLogVarianceClipped } = diffusion.tables
  if (v === null) return perSample(fixedVariances(diffusion)!.logVariance, timesteps, xt)
  const range = logBetas.map((high, i) => high - posteriorLogVarianceClipped[i])
  return add(
    mul(affine(v, 0.5, 0.5), perSample(range, timesteps, xt)),
    perSample(posteriorLogVarianceClipped, timesteps, xt),
  )
}

function fixedVariances({ varianceType, tables }: GaussianDiffusion) {
  if (varianceType === 'fixedSmall') {
    return { variance: tables.posteriorVariance, logVariance: tables.posteriorLogVarianceClipped }
  }
  if (varianceType === 'fixedLarge') {
    return { variance: tables.fixedLargeVariance, logVariance: tables.fixedLargeLogVariance }
  }
  return null
}
