import { lossWeightAt } from '@dit/schedules'
import { add, affine, mul, reshape, scope, square, stopGradient, sub, type Tensor, tensor } from '@dit/tensor'
import { addNoise } from './add-noise.js'
import { type GaussianDiffusion, hasLearnedVariance, originalTimesteps, type Predict } from './gaussian-diffusion.js'
import { type OutputParts, splitOutput } from './model-mean-variance.js'
import { meanPerSample } from './normal.js'
import { checkBatch } from './per-sample.js'
import { posteriorMean } from './posterior.js'
import { type KnownBatch, termOfParts } from './variational-term.js'

/** What a training step starts from. */
export interface TrainingBatch {
  /** Clean samples, `[B, C, H, W]`. */
  readonly x0: Tensor
  /** `[B]`, in 0 .. numTimesteps - 1. */
  readonly timesteps: Int32Array
  /** Standard normal, shape of `x0`. */
  readonly noise: Tensor
}

/** Losses per sample, `[B]` each. */
export interface TrainingLosses {
  /** What to minimise, after `mean(loss)` or a weighted mean. */
  readonly loss: Tensor
  /** Squared error, weighted as it entered the loss; present with the loss types `mse` and `rescaledMse`. */
  readonly mse?: Tensor
  /** Variational term in bits as it entered the loss; present with these types where the variance is learned. */
  readonly vb?: Tensor
}

/** The number of steps at which `rescaledMse` is `mse`. */
const RESCALED_FROM = 1000

/**
 * Training losses per sample, differentiable through `predict`.
 *
 *   mse          mean over C, H, W of (target - prediction)^2     target: noise, x0 or posterior mean, by meanType;
 *                times `lossWeightAt` of the process's loss weight, where it has one
 *   vb           variational term in bits, x0 not clipped; its gradient reaches the variance channels only
 *   loss         mse + vb                  (`mse`; vb only where the variance is learned)
 *                mse + vb numTimesteps / 1000                         (`rescaledMse`)
 *                variational term, gradient to all channels           (`kl`)
 *                that times numTimesteps                              (`rescaledKl`)
 *
 * @returns the caller disposes of the tensors, or the scope of `valueAndGrad` does
 * @throws RangeError when a shape does not fit or a timestep is out of range
 *
 * @example
 * valueAndGrad(params, () => ({ loss: mean(trainingLosses(diffusion, predict, { x0, timesteps, noise }).loss) }))
 *
 * Ho et al. 2020, eq. 14; Nichol and Dhariwal 2021, eq. 16, with weight 1 on a mean in bits instead of 0.001 on a sum.
 */
export function trainingLosses(
  diffusion: GaussianDiffusion,
  predict: Predict,
  { x0, timesteps, noise }: TrainingBatch,
): TrainingLosses {
  checkBatch('trainingLosses', diffusion, timesteps, { x0, noise })
  const { lossType, numTimesteps } = diffusion
  return scope(() => {
    const xt = addNoise(diffusion, x0, timesteps, noise)
    const modelOutput = predict(xt, originalTimesteps(diffusion, timesteps))
    const parts = splitOutput('trainingLosses', diffusion, modelOutput, xt)
    const batch = { x0, xt, timesteps }
    if (lossType === 'kl' || lossType === 'rescaledKl') {
      const { bits } = termOfParts(diffusion, parts, batch, { clipDenoised: false })
      return { loss: lossType === 'kl' ? bits : affine(bits, numTimesteps) }
    }
    const error = meanPerSample(square(sub(target(diffusion, batch, noise), parts.prediction)))
    const mse = weighted(diffusion, error, timesteps)
    if (!hasLearnedVariance(diffusion)) return { loss: reshape(mse, mse.shape), mse }
    const bits = varianceTerm(diffusion, modelOutput, parts, batch)
    const vb = lossType === 'mse' ? bits : affine(bits, numTimesteps / RESCALED_FROM)
    return { loss: add(mse, vb), mse, vb }
  })
}

/** The errors times the loss weight, `[B]`. */
function weighted({ lossWeight, meanType, tables }: GaussianDiffusion, error: Tensor, timesteps: Int32Array): Tensor {
  if (lossWeight === undefined) return error
  const weights = Float64Array.from(timesteps, (timestep) => {
    const alphaBar = tables.alphaBar[timestep]
    return lossWeightAt(alphaBar / (1 - alphaBar), lossWeight, meanType === 'x0' ? 'x0' : 'epsilon')
  })
  return mul(error, tensor(weights, error.shape, { backend: error.backend, dtype: error.dtype }))
}

function target(diffusion: GaussianDiffusion, { x0, xt, timesteps }: KnownBatch, noise: Tensor): Tensor {
  if (diffusion.meanType === 'epsilon') return noise
  return diffusion.meanType === 'x0' ? x0 : posteriorMean(diffusion, x0, xt, timesteps)
}

/** The variational term with the mean channels held constant: it trains the variance only. */
function varianceTerm(
  diffusion: GaussianDiffusion,
  modelOutput: Tensor,
  { v }: OutputParts,
  batch: KnownBatch,
): Tensor {
  const { prediction } = stopGradient(() => splitOutput('trainingLosses', diffusion, modelOutput, batch.xt))
  return termOfParts(diffusion, { prediction, v }, batch, { clipDenoised: false }).bits
}
