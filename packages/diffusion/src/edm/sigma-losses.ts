import { add, formatShape, mul, sameShape, scope, square, sub, type Tensor } from '@dit/tensor'
import { factors } from './factors.js'
import type { DenoiseAtSigma } from './preconditioned.js'

/** What a training step of a denoiser D(x, sigma) starts from. */
export interface SigmaBatch {
  /** Clean samples, `[B, C, H, W]`. */
  readonly x0: Tensor
  /** Noise levels `[B]`: from `edmTrainingSigmas` and its like, of @dit/schedules. */
  readonly sigmas: ArrayLike<number>
  /** Standard normal, shape of `x0`. */
  readonly noise: Tensor
}

/**
 * Weighted squared errors of a denoiser, element by element, differentiable through it.
 *
 *   loss = weight(sigma) (D(x0 + sigma noise, sigma) - x0)^2
 *
 * EDM's weight is `edmLossWeight`; variance-preserving and -exploding networks are trained with 1 / sigma^2.
 *
 * @returns `[B, C, H, W]`; train on its mean; the caller disposes of it
 * @throws RangeError for another shape of the noise, or another number of sigmas than samples
 *
 * @example
 * const sigmas = edmTrainingSigmas(normals(stream, 8))
 * mean(sigmaLosses(preconditioned(network, edmPreconditioning()), { x0, sigmas, noise }, edmLossWeight))
 *
 * Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", eq. 2 and 8.
 */
export function sigmaLosses(
  denoise: DenoiseAtSigma,
  { x0, sigmas, noise }: SigmaBatch,
  weight: (sigma: number) => number,
): Tensor {
  if (!sameShape(x0.shape, noise.shape)) {
    throw new RangeError(
      `sigmaLosses: noise must have the shape of x0 (got ${formatShape(noise.shape)} and ${formatShape(x0.shape)})`,
    )
  }
  if (sigmas.length !== x0.shape[0]) {
    throw new RangeError(
      `sigmaLosses: there must be one sigma per sample (got ${sigmas.length} for x0 ${formatShape(x0.shape)})`,
    )
  }
  const weights = Array.from(sigmas, (sigma) => weight(sigma))
  return scope(() => {
    const x = add(x0, mul(noise, factors(sigmas, x0)))
    return mul(square(sub(denoise(x, sigmas), x0)), factors(weights, x0))
  })
}
