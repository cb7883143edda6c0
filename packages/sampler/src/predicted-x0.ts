import { add, affine, formatShape, reshape, sameShape, scope, slice, sub, type Tensor } from '@dit/tensor'

/** What the first C output channels of a model stand for: the noise, x0, or the velocity alpha noise - sigma x0. */
export type PredictionType = 'epsilon' | 'x0' | 'v'

/** Factors of signal and noise in `xt`: xt = alpha x0 + sigma noise, alpha^2 + sigma^2 = 1. */
export interface SignalAndNoise {
  readonly alpha: number
  readonly sigma: number
}

/**
 * The estimates of x0 and of the noise that an output of a model stands for.
 *
 *   epsilon   x0 = (xt - sigma output) / alpha           noise = output
 *   x0        x0 = output                                noise = (xt - alpha output) / sigma
 *   v         x0 = alpha xt - sigma output               noise = alpha output + sigma xt
 *
 * @param output `[B, C, ...]`, or `[B, 2 C, ...]` with variance channels, which play no part
 * @throws RangeError when the shape of the output is neither
 *
 * Salimans and Ho 2022, "Progressive Distillation for Fast Sampling of Diffusion Models", appendix D (v).
 */
export function readPrediction(
  caller: string,
  output: Tensor,
  xt: Tensor,
  predictionType: PredictionType,
  { alpha, sigma }: SignalAndNoise,
): { readonly x0: Tensor; readonly noise: Tensor } {
  return scope(() => {
    const mean = withoutVariance(caller, output, xt)
    if (predictionType === 'epsilon') {
      return { x0: sub(affine(xt, 1 / alpha), affine(mean, sigma / alpha)), noise: mean }
    }
    if (predictionType === 'x0') {
      // A handle of its own: the model may have returned what it keeps.
      return { x0: reshape(mean, mean.shape), noise: sub(affine(xt, 1 / sigma), affine(mean, alpha / sigma)) }
    }
    return { x0: sub(affine(xt, alpha), affine(mean, sigma)), noise: add(affine(mean, alpha), affine(xt, sigma)) }
  })
}

/** @throws RangeError unless it is one of the three */
export function checkPredictionType(caller: string, predictionType: PredictionType): void {
  if (!['epsilon', 'x0', 'v'].includes(predictionType)) {
    throw new RangeError(`${caller}: predictionType must be epsilon, x0 or v (got ${predictionType})`)
  }
}

function withoutVariance(caller: string, output: Tensor, xt: Tensor): Tensor {
  const [B, C, ...rest] = xt.shape
  if (sameShape(output.shape, xt.shape)) return output
  if (sameShape(output.shape, [B, 2 * C, ...rest])) return slice(output, 1, 0, C)
  throw new RangeError(
    `${caller}: the model must return ${formatShape(xt.shape)}, or twice the channels (it returned ${formatShape(output.shape)})`,
  )
}
