import { add, mul, scope, type Tensor } from '@dit/tensor'
import type { GaussianDiffusion } from './gaussian-diffusion.js'
import type { MeanVariance } from './normal.js'
import { checkBatch, perSample } from './per-sample.js'

/**
 * Noisy samples at given timesteps: a draw of q(xt | x0).
 *
 *   xt = sqrt(alphaBar[t]) x0 + sqrt(1 - alphaBar[t]) noise
 *
 * @param x0         clean samples, `[B, C, H, W]`
 * @param timesteps  `[B]`, in 0 .. numTimesteps - 1; step 0 already carries a little noise
 * @param noise      standard normal, shape of `x0`
 * @returns xt, shaped like `x0`; the caller disposes of it
 * @throws RangeError when shapes differ or a timestep is out of range
 *
 * Ho et al. 2020, eq. 4.
 */
export function addNoise(diffusion: GaussianDiffusion, x0: Tensor, timesteps: Int32Array, noise: Tensor): Tensor {
  checkBatch('addNoise', diffusion, timesteps, { x0, noise })
  const { sqrtAlphaBar, sqrtOneMinusAlphaBar } = diffusion.tables
  return scope(() =>
    add(mul(perSample(sqrtAlphaBar, timesteps, x0), x0), mul(perSample(sqrtOneMinusAlphaBar, timesteps, x0), noise)),
  )
}

/**
 * Mean and variance of q(xt | x0).
 *
 * @param x0         clean samples, `[B, C, H, W]`
 * @param timesteps  `[B]`, in 0 .. numTimesteps - 1
 * @returns mean `[B, C, H, W]`, variance and log variance `[B, 1, 1, 1]`; the caller disposes of them
 * @throws RangeError when shapes differ or a timestep is out of range
 *
 * Ho et al. 2020, eq. 4.
 */
export function noisedMeanVariance(diffusion: GaussianDiffusion, x0: Tensor, timesteps: Int32Array): MeanVariance {
  checkBatch('noisedMeanVariance', diffusion, timesteps, { x0 })
  const { alphaBar, sqrtAlphaBar, logOneMinusAlphaBar } = diffusion.tables
  return scope(() => ({
    mean: mul(perSample(sqrtAlphaBar, timesteps, x0), x0),
    variance: perSample(
      alphaBar.map((a) => 1 - a),
      timesteps,
      x0,
    ),
    logVariance: perSample(logOneMinusAlphaBar, timesteps, x0),
  }))
}
