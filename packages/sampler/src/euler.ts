import type { Denoise } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { type ChurnOptions, churned, churnOf } from './churn.js'
import { combine } from './combine.js'
import { type NoiseSource, stepNoise } from './noise.js'
import { checkPathStart, type PathOptions, runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'

/** Options of `euler`; noise is needed only with churn. */
export type EulerOptions = PathOptions & Partial<ChurnOptions> & Partial<NoiseSource>

/**
 * Euler's method along a path: deterministic, of first order, one call of the network a step.
 *
 *   next = alpha' x0 + sigma' noise
 *
 * which is a step of DDIM, Euler's step in sigma where alpha is 1, and xt + (sigma' - sigma) v on a straight path. With churn, noise
 * is added first; the level it leads to must have alpha = 1.
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
  const { churn = 0 } = options
  checkPathStart('euler', path, xT)
  if (!(churn >= 0)) throw new RangeError(`euler: churn must be 0 or more (got ${churn})`)
  if (churn > 0 && path.steps.some(({ from }) => from.alpha !== 1)) {
    throw new RangeError('euler: churn is for paths whose alpha is 1')
  }
  const draw = stepNoise('euler', options, churn > 0)
  return runPath(
    path,
    xT,
    (xt, { from, to }, index) => {
      const gamma = churnOf(from, path.steps.length, options)
      if (gamma === 0) {
        const { x0, noise } = denoise(xt, from)
        return { xt: combine([to.alpha, x0], [to.sigma, noise]), x0 }
      }
      const raised = churned(denoise, xt, from, gamma, draw!(index, xt.shape, xt.backend), options)
      const { x0 } = raised.estimate
      // (xHat - x0) / sigmaHat is the slope, whatever level the answer was read at.
      const share = to.sigma / raised.level.sigma
      return { xt: combine([share, raised.xt], [1 - share, x0]), x0 }
    },
    options,
  )
}
