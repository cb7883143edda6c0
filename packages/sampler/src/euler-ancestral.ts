import type { Denoise } from '@dit/diffusion'
import type { Path, PathStep } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { combine } from './combine.js'
import { type NoiseSource, stepNoise } from './noise.js'
import { checkPathStart, type PathOptions, runPath } from './run-path.js'
import type { SamplerStep } from './run-steps.js'

/** Options of `eulerAncestral`. */
export type EulerAncestralOptions = PathOptions &
  Partial<NoiseSource> & {
    /** Share of fresh noise: 1 (default) is ancestral sampling, 0 is `euler`. */
    readonly eta?: number
  }

/**
 * Euler's method with fresh noise in each step: ancestral sampling, and DDIM with `eta` on any path.
 *
 *   up   = eta sigma' / sigma sqrt(sigma^2 - (alpha / alpha')^2 sigma'^2)
 *   next = alpha' x0 + sqrt(sigma'^2 - up^2) noise + up draw
 *
 * @param options a seed or a noise function is needed unless eta is 0
 * @returns yields every step; see `SamplerStep` for who owns what. Noise is drawn in every step, the last included
 * @throws RangeError or TypeError at once for wrong options; the signal's reason when stopped
 *
 * Song et al. 2021, "Denoising Diffusion Implicit Models", eq. 12 and 16; k-diffusion's `sample_euler_ancestral`.
 */
export function eulerAncestral(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: EulerAncestralOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  const { eta = 1 } = options
  checkPathStart('eulerAncestral', path, xT)
  if (!(eta >= 0 && eta <= 1)) throw new RangeError(`eulerAncestral: eta must be in [0, 1] (got ${eta})`)
  const draw = stepNoise('eulerAncestral', options, eta > 0)
  return runPath(
    path,
    xT,
    (xt, step, index) => {
      const { x0, noise } = denoise(xt, step.from)
      const fresh = draw?.(index, xt.shape, xt.backend)
      const up = eta * Math.sqrt(posteriorVariance(step))
      const down = Math.sqrt(Math.max(0, step.to.sigma ** 2 - up ** 2))
      const next = combine([step.to.alpha, x0], [down, noise])
      return { xt: fresh === undefined ? next : combine([1, next], [up, fresh]), x0 }
    },
    options,
  )
}

/**
 * Variance of a level given the noisier one and x0: sigma'^2 (sigma^2 - (alpha / alpha')^2 sigma'^2) / sigma^2.
 *
 * Ho et al. 2020, "Denoising Diffusion Probabilistic Models", eq. 7, for any alpha and sigma.
 */
export function posteriorVariance({ from, to }: PathStep): number {
  return (to.sigma / from.sigma) ** 2 * addedVariance({ from, to })
}

/** Variance of the noise that leads from the cleaner level to the noisier: sigma^2 - (alpha / alpha')^2 sigma'^2. */
export function addedVariance({ from, to }: PathStep): number {
  return Math.max(0, from.sigma ** 2 - (from.alpha / to.alpha) ** 2 * to.sigma ** 2)
}
