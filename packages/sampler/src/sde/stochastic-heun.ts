import type { Denoise } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import { add, affine, type Tensor } from '@dit/tensor'
import type { NoiseSource } from '../noise.js'
import type { SamplerStep } from '../sampler-step.js'
import { checkStart } from '../step-options.js'
import { runSde, type SdeOptions } from './sde-step.js'

/**
 * Samples with the reverse SDE of a path, by Heun's method on top of the noise: two calls of the network a step. As t falls by h,
 *
 *   noisy = xt + sqrt(2 w h) draw
 *   k1    = w score - velocity of noisy, at the start of the step
 *   k2    = that of noisy + h k1, at its end
 *   xt'   = noisy + h (k1 + k2) / 2
 *
 * Arguments, results and errors are those of `eulerMaruyama`; the form must be finite at the end of each step, too.
 *
 * Ma et al. 2024, "SiT", appendix; Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models",
 * algorithm 2, for the idea.
 */
export function stochasticHeun(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: SdeOptions & NoiseSource,
): AsyncGenerator<SamplerStep, void, void> {
  checkStart('stochasticHeun', 'xT', xT)
  const run = runSde('stochasticHeun', path, denoise, options, true, (xt, { from, to, h, spread, draws, drift }) => {
    const noisy = add(xt, affine(draws, spread))
    const first = drift(noisy, from)
    const second = drift(add(noisy, affine(first.drift, h)), to)
    return { xt: add(noisy, affine(add(first.drift, second.drift), h / 2)), x0: first.x0 }
  })
  return run(xT)
}
