import type { Denoise, Denoised } from '@dit/diffusion'
import type { NoiseLevel, Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { combine } from './combine.js'
import { checkPathStart, type PathOptions, runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'

/**
 * Heun's method: Euler's step, then the step again with the mean of the slopes at both ends. Of second order, two calls of the network
 * a step; a last step to no noise is Euler's.
 *
 *   y'   = y + (s' - s) slope(y, s)
 *   next = y + (s' - s) (slope(y, s) + slope(y', s')) / 2
 *
 * Where the levels have a time, s is that time, y is xt and the slope is the velocity dAlpha x0 + dSigma noise. Elsewhere s is
 * sigma / alpha, y is xt / alpha and the slope is the noise: in sigma itself where alpha is 1.
 *
 * @param path    from a process; alpha must not be 0 on levels without a time
 * @param denoise from `denoiser(predict, ...)` of @dit/diffusion
 * @param xT      samples at the first level of the path, `[B, C, H, W]`; not disposed of
 * @returns yields every step; see `SamplerStep` for who owns what
 * @throws RangeError or TypeError at once for wrong arguments; the signal's reason when stopped
 *
 * Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", algorithm 1.
 */
export function heun(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: PathOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  checkPathStart('heun', path, xT, !path.steps.every(({ from, to }) => hasTime(from) && hasTime(to)))
  return runPath(
    path,
    xT,
    (xt, { from, to }) => {
      const isTimed = hasTime(from) && hasTime(to)
      const [time, unit] = isTimed ? [timeOf, one] : [ratio, alphaOf]
      const length = time(to) - time(from)
      const first = denoise(xt, from)
      const start = 1 / unit(from)
      const reach = (slope: Tensor) => combine([unit(to) * start, xt], [unit(to) * length, slope])
      const slope = slopeAt(first, from, isTimed)
      const predicted = reach(slope)
      if (to.sigma === 0) return { xt: predicted, x0: first.x0 }
      const second = slopeAt(denoise(predicted, to), to, isTimed)
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
const ratio = ({ alpha, sigma }: NoiseLevel) => sigma / alpha
const one = () => 1
const alphaOf = ({ alpha }: NoiseLevel) => alpha
