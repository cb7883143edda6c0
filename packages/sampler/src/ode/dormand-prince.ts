import type { Denoise } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import type { SamplerStep } from '../sampler-step.js'
import { checkStart } from '../step-options.js'
import { type AdaptiveOptions, adaptiveSteps } from './adaptive-steps.js'
import { asSamplerSteps } from './runge-kutta.js'
import { timedSteps, velocitySlope } from './slope.js'

/**
 * Solves the probability-flow ODE with steps whose error stays within a tolerance: Dormand-Prince 5(4). The path says where
 * states are wanted; the solver's own steps are as long as they may be. All samples of a batch take the same steps.
 *
 *   error of a step, root mean square over the batch of error / (atol + rtol max(|x|, |x'|)), at most 1
 *
 * @param path     with times, derivatives and `at`, as `flowPath` makes it; one step is enough where only the end is wanted
 * @param denoise  from `denoiser`
 * @param xT       where the path begins, `[B, C, H, W]`; not disposed of
 * @returns yields the states at the path's levels; see `SamplerStep` for who owns what. `x0` is the estimate at the end of the
 *   solver's last step
 * @throws RangeError or TypeError at once for wrong options; where `maxSteps` do not suffice or the state is no longer finite;
 *   the signal's reason when stopped
 *
 * @example
 * const path = flowPath({ networkTime: 'towardsData', numSteps: 1 })
 * const x0 = await lastStep(dormandPrince(path, denoiser(predict, { prediction: 'velocity' }), xT, { rtol: 1e-4 }))
 *
 * Dormand and Prince 1980. Step sizes and interpolation are those of torchdiffeq, which gives the same trajectory with
 * `mayPassEnd`.
 */
export function dormandPrince(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: AdaptiveOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  checkStart('dormandPrince', 'xT', xT)
  checkAdaptive('dormandPrince', options)
  timedSteps('dormandPrince', path, true)
  return asSamplerSteps(path, adaptiveSteps('dormandPrince', path, velocitySlope(denoise), [xT], options))
}

/** Throws unless the tolerances and the cap can be. */
export function checkAdaptive(caller: string, { rtol = 1e-3, atol = 1e-6, maxSteps = 1000 }: AdaptiveOptions): void {
  if (!(rtol >= 0 && atol >= 0 && rtol + atol > 0 && rtol + atol < Infinity)) {
    throw new RangeError(`${caller}: rtol and atol must be 0 or more, and not both 0 (got ${rtol} and ${atol})`)
  }
  if (!(Number.isInteger(maxSteps) && maxSteps > 0)) {
    throw new RangeError(`${caller}: maxSteps must be a positive integer (got ${maxSteps})`)
  }
}
