import { add, mul, scope, type Tensor } from '@dit/tensor'
import type { GaussianDiffusion } from './gaussian-diffusion.js'
import type { MeanVariance } from './normal.js'
import { checkBatch, perSample } from './per-sample.js'

/**
 * Mean and variance of q(x[t-1] | xt, x0), the step backwards that one would take knowing x0.
 *
 *   mean     = coef1[t] x0 + coef2[t] xt
 *   variance = beta[t] (1 - alphaBar[t-1]) / (1 - alphaBar[t])
 *
 * The variance at t = 0 is 0; its log there is that of t = 1, as in the reference implementation.
 *
 * @param batch  x0 and xt `[B, C, H, W]`, timesteps `[B]` in 0 .. numTimesteps - 1
 * @returns mean `[B, C, H, W]`, variance and log variance `[B, 1, 1, 1]`; the caller disposes of them
 * @throws RangeError when shapes differ or a timestep is out of range
 *
 * Ho et al. 2020, eq. 6 and 7.
 */
export function posterior(
  diffusion: GaussianDiffusion,
  { x0, xt, timesteps }: { readonly x0: Tensor; readonly xt: Tensor; readonly timesteps: Int32Array },
): MeanVariance {
  checkBatch('posterior', diffusion, timesteps, { x0, xt })
  const { posteriorVariance, posteriorLogVarianceClipped } = diffusion.tables
  return scope(() => ({
    mean: posteriorMean(diffusion, x0, xt, timesteps),
    variance: perSample(posteriorVariance, timesteps, x0),
    logVariance: perSample(posteriorLogVarianceClipped, timesteps, x0),
  }))
}

/** coef1[t] x0 + coef2[t] xt */
export function posteriorMean(diffusion: GaussianDiffusion, x0: Tensor, xt: Tensor, timesteps: Int32Array): Tensor {
  const { posteriorMeanCoef1, posteriorMeanCoef2 } = diffusion.tables
  return scope(() =>
    add(mul(perSample(posteriorMeanCoef1, timesteps, x0), x0), mul(perSample(posteriorMeanCoef2, timesteps, xt), xt)),
  )
}
