import type { NoiseLevel } from '@dit/schedules'
import { affine, scope, sub, type Tensor } from '@dit/tensor'
import type { GaussianDiffusion } from './gaussian-diffusion.js'
import { splitOutput } from './model-mean-variance.js'

/** A network as `x0AtLevel` asks it: told one timestep per sample, which may be fractional. */
export type PredictAtLevel = (xt: Tensor, timesteps: Float32Array) => Tensor

/**
 * The network's estimate of x0 at a noise level, whatever it predicts. It is not clipped.
 *
 *   x0 = output                              meanType x0
 *      = (xt - sigma output) / alpha         otherwise
 *
 * @param xt `[B, C, H, W]`, alpha x0 + sigma noise
 * @returns `[B, C, H, W]`; the caller disposes of it
 * @throws RangeError where the output's shape does not fit the process
 */
export function x0AtLevel(
  diffusion: GaussianDiffusion,
  predict: PredictAtLevel,
  xt: Tensor,
  { alpha, sigma, timestep }: NoiseLevel,
): Tensor {
  return scope(() => {
    const output = predict(xt, new Float32Array(xt.shape[0]).fill(timestep))
    const { prediction } = splitOutput('x0AtLevel', diffusion, output, xt)
    if (diffusion.meanType === 'x0') return affine(prediction, 1)
    return sub(affine(xt, 1 / alpha), affine(prediction, sigma / alpha))
  })
}
