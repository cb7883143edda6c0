import type { Denoise } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { combine } from './combine.js'
import { type NoiseSource, stepNoise } from './noise.js'
import { checkPathStart, type PathOptions, runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'

/**
 * Takes the estimate of x0 and noises it anew in each step: multistep consistency sampling, diffusers' `stochastic_sampling`.
 *
 *   next = alpha' x0 + sigma' draw
 *
 * @param options a seed or a noise function
 * @returns yields every step; see `SamplerStep` for who owns what. Noise is drawn in every step, the last included
 * @throws RangeError or TypeError at once for wrong options; the signal's reason when stopped
 *
 * Song et al. 2023, "Consistency Models", algorithm 1.
 */
export function renoise(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: PathOptions & NoiseSource,
): AsyncGenerator<SamplerStep, void, void> {
  checkPathStart('renoise', path, xT)
  const draw = stepNoise('renoise', options, true)!
  return runPath(
    path,
    xT,
    (xt, { from, to }, index) => {
      const { x0 } = denoise(xt, from)
      return { xt: combine([to.alpha, x0], [to.sigma, draw(index, xt.shape, xt.backend)]), x0 }
    },
    options,
  )
}
