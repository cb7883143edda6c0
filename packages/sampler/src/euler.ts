import type { Denoise } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { checkChurn, churned, type ChurnOptions } from './churn.js'
import { combine } from './combine.js'
import { type NoiseSource, stepNoise } from './noise.js'
import { checkPathStart, type PathOptions, runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'

/** Options of `euler`; noise is needed only with churn. */
export type EulerOptions = PathOptions &
  ChurnOptions &
  Partial<NoiseSource> & {
    /**
     * What the network is asked about where there is churn: `raised` (default), as in the paper; `before`, xt as it was before the noise
     * was added, as in diffusers.
     */
    readonly networkSees?: 'raised' | 'before'
    /** The level at which its answer is read, where it saw xt `before`: `raised` (default), or `before` as well. */
    readonly readAt?: 'raised' | 'before'
  }

/**
 * Euler's method along a path: deterministic, of first order, one call of the network a step.
 *
 *   next = alpha' x0 + sigma' noise
 *
 * which is a step of DDIM, Euler's step in sigma where alpha is 1, and xt + (sigma' - sigma) v on a straight path. With churn, noise
 * is added first: the path must have alpha = 1, or know its levels between the steps (`atSigma`).
 *
 * @param path     from a process, such as `pathThrough(levels)`
 * @param denoise  from `denoiser(predict, ...)` of @dit/diffusion
 * @param xT       samples at the first level of the path, `[B, C, H, W]`; not disposed of
 * @returns yields every step; see `SamplerStep` for who owns what. Noise is drawn once for each step with churn
 * @throws RangeError or TypeError at once for wrong options; the signal's reason when stopped
 *
 * @example
 * const x0 = await lastStep(euler(path, denoiser(predict, { prediction: 'v' }), xT))
 *
 * Song et al. 2021, "Denoising Diffusion Implicit Models", eq. 12; Karras et al. 2022, algorithm 2 without its second half.
 */
export function euler(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: EulerOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  const { churn = 0, networkSees = 'raised', readAt = 'raised' } = options
  checkPathStart('euler', path, xT)
  checkChurn('euler', options, path)
  const draw = stepNoise('euler', options, churn > 0)
  return runPath(
    path,
    xT,
    (xt, step, index) => {
      const { from, to } = step
      const raised = churned(path, { xt, level: from }, () => draw!(index, xt.shape, xt.backend), options)
      if (raised.level === from) {
        const { x0, noise } = denoise(xt, from, step)
        return { xt: combine([to.alpha, x0], [to.sigma, noise]), x0 }
      }
      const { x0 } =
        networkSees === 'raised'
          ? denoise(raised.xt, raised.level, step)
          : denoise(raised.xt, readAt === 'raised' ? raised.level : from, step, { xt, level: from })
      // (xHat - alpha x0) / sigmaHat is the noise, whatever level the answer was read at.
      const share = to.sigma / raised.level.sigma
      return { xt: combine([share, raised.xt], [to.alpha - share * raised.level.alpha, x0]), x0 }
    },
    options,
  )
}
