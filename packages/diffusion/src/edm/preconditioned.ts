import type { Preconditioning } from '@dit/schedules'
import { add, affine, formatShape, mul, sameShape, scope, slice, type Tensor } from '@dit/tensor'
import type { Denoise, PredictAt } from '../denoiser.js'
import { factors } from './factors.js'

/**
 * D(x, sigma): the estimate of x0 from x = x0 + sigma noise `[B, C, H, W]` at noise levels sigma, `[B]`. Differentiable.
 */
export type DenoiseAtSigma = (x: Tensor, sigmas: ArrayLike<number>) => Tensor

export interface PreconditionedOptions {
  /** 2 where channels for the variance follow, which are left out (default 1). */
  readonly outputsPerChannel?: 1 | 2
}

/**
 * A raw network as a denoiser whose task is about the same at every noise level.
 *
 *   D(x, sigma) = skip x + out F(in x, noise)
 *
 * @param network F: `in x` and `noise` `[B]` as float32, to `[B, C, H, W]` (twice the channels with `outputsPerChannel` 2)
 * @param preconditioning `edmPreconditioning()` and its like, of @dit/schedules
 * @returns made in a scope of its own; the caller disposes of the result
 * @throws RangeError, when called, for an output of another shape, or another number of sigmas than samples
 *
 * @example
 * const denoise = denoiseAtLevels(preconditioned(network, edmPreconditioning()))
 *
 * Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", eq. 7.
 */
export function preconditioned(
  network: PredictAt,
  preconditioning: Preconditioning,
  { outputsPerChannel = 1 }: PreconditionedOptions = {},
): DenoiseAtSigma {
  return (x, sigmas) => {
    if (sigmas.length !== x.shape[0]) {
      throw new RangeError(
        `preconditioned: there must be one sigma per sample (got ${sigmas.length} for ${formatShape(x.shape)})`,
      )
    }
    const at = Array.from(sigmas, preconditioning)
    const factor = (name: 'skip' | 'out' | 'in') =>
      factors(
        at.map((found) => found[name]),
        x,
      ) // [B, 1, ...]
    return scope(() => {
      const told = Float32Array.from(at, ({ noise }) => noise)
      const output = firstChannels(network(mul(x, factor('in')), told), x, outputsPerChannel) // [B, C, H, W]
      return add(mul(x, factor('skip')), mul(output, factor('out')))
    })
  }
}

/**
 * A denoiser of noise levels sigma for solvers over a path.
 *
 *   x0 = D(xt / alpha, sigma / alpha)        noise = (xt - alpha x0) / sigma
 */
export function denoiseAtLevels(denoise: DenoiseAtSigma): Denoise {
  return (xt, level, _step, seen = { xt, level }) => {
    const shown = seen.level
    const x = shown.alpha === 1 ? seen.xt : affine(seen.xt, 1 / shown.alpha)
    const x0 = denoise(x, new Float64Array(xt.shape[0]).fill(shown.sigma / shown.alpha))
    const { alpha, sigma } = level
    const noise = sigma === 0 ? affine(xt, 0) : add(affine(xt, 1 / sigma), affine(x0, -alpha / sigma))
    return { x0, noise }
  }
}

function firstChannels(output: Tensor, x: Tensor, outputsPerChannel: 1 | 2): Tensor {
  const expected = x.shape.with(1, outputsPerChannel * x.shape[1])
  if (!sameShape(output.shape, expected)) {
    throw new RangeError(
      `preconditioned: the network must return ${formatShape(expected)} for x ${formatShape(x.shape)} (got ${formatShape(output.shape)})`,
    )
  }
  return outputsPerChannel === 1 ? output : slice(output, 1, 0, x.shape[1])
}
