import type { Denoise, Denoised } from '@dit/diffusion'
import type { NoiseLevel, Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { checkChurn, churned, type ChurnOptions } from './churn.js'
import { combine } from './combine.js'
import { type NoiseSource, stepNoise } from './noise.js'
import { checkPathStart, type PathOptions, ratioOf, runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'

/** Options of `heun`; noise is needed only with churn. */
export type HeunOptions = PathOptions & ChurnOptions & Partial<NoiseSource>

/**
 * Heun's method: Euler's step, then the step again with the mean of the slopes at both ends. Of second order, two calls of the network
 * a step; a last step to no noise is Euler's.
 *
 *   y'   = y + (s' - s) slope(y, s)
 *   next = y + (s' - s) (slope(y, s) + slope(y', s')) / 2
 *
 * Where the levels have a time, s is that time, y is xt and the slope is the velocity dAlpha x0 + dSigma noise. Elsewhere s is
 * sigma / alpha, y is xt / alpha and the slope is the noise: in sigma itself where alpha is 1. With churn, noise is added before each
 * step, which is then EDM's sampler. Both evaluations are told the step, so that guidance within an interval holds for both.
 *
 * @param path    from a process, or `edmPath({ numSteps: 18 })`; alpha must not be 0 on levels without a time, and with churn must be 1
 *   unless the path knows its levels between the steps (`atSigma`)
 * @param denoise from `denoiser(predict, ...)` of @dit/diffusion
 * @param xT      samples at the first level of the path, `[B, C, H, W]`; not disposed of
 * @returns yields every step, with the first estimate of x0; see `SamplerStep` for who owns what. Noise is drawn once for each step with
 *   churn
 * @throws RangeError or TypeError at once for wrong arguments; the signal's reason when stopped
 *
 * @example
 * const path = edmPath({ numSteps: 18 })
 * const xT = affine(startNoise([4, 3, 32, 32], { seed: 0 }), path.startScale)
 * const x0 = await lastStep(heun(path, denoise, xT, { churn: 40, churnMin: 0.05, churnMax: 50, churnNoise: 1.003, seed: 0 }))
 *
 * Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", algorithms 1 and 2.
 */
export function heun(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: HeunOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  checkPathStart('heun', path, xT, !path.steps.every(({ from, to }) => hasTime(from) && hasTime(to)))
  checkChurn('heun', options, path)
  const draw = stepNoise('heun', options, (options.churn ?? 0) > 0)
  return runPath(
    path,
    xT,
    (xt, step, index) => {
      const { to } = step
      const start = churned(path, { xt, level: step.from }, () => draw!(index, xt.shape, xt.backend), options)
      const isTimed = hasTime(start.level) && hasTime(to)
      const [time, unit] = isTimed ? [timeOf, one] : [ratioOf, alphaOf]
      const length = time(to) - time(start.level)
      const keep = unit(to) / unit(start.level)
      const reach = (slope: Tensor) => combine([keep, start.xt], [unit(to) * length, slope])
      const first = denoise(start.xt, start.level, step)
      const slope = slopeAt(first, start.level, isTimed)
      const predicted = reach(slope)
      if (to.sigma === 0) return { xt: predicted, x0: first.x0 }
      const second = slopeAt(denoise(predicted, to, step), to, isTimed)
      return { xt: reach(combine([0.5, slope], [0.5, second])), x0: first.x0 }
    },
    options,
  )
}

function slopeAt({ x0, noise }: Denoised, { dAlpha, dSigma }: NoiseLevel, isTimed: boolean): Tensor {
  return isTimed ? combine([dAlpha!, x0], [dSigma!, noise]) : noise
}

function hasTime({ t, dAlpha, dSigma }: NoiseLevel): boolean {
  return t !== undefined && dAlpha !== undefined && dSigma !== undefined
}

const timeOf = ({ t }: NoiseLevel) => t!
const one = () => 1
const alphaOf = ({ alpha }: NoiseLevel) => alpha
