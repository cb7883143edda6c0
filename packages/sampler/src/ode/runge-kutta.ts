import type { Denoise } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import type { SamplerStep } from '../sampler-step.js'
import { checkStart } from '../step-options.js'
import { fixedSteps, isBetween } from './fixed-steps.js'
import { type OdeStep, timedSteps, velocitySlope } from './slope.js'
import { type RungeKuttaMethod, type Tableau, tableauOf } from './tableau.js'

export interface RungeKuttaOptions {
  /** Default `heun2`. */
  readonly method?: RungeKuttaMethod | Tableau
  /**
   * Method of the last step (default `method`). Near the data the velocity of a network that predicts x0 divides its error by
   * sigma, so that a method that asks it at the end of the last step gains noise there: choose `euler`.
   */
  readonly lastMethod?: RungeKuttaMethod | Tableau
  /** Stops the loop between two steps: it frees what it holds and throws the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * Solves the probability-flow ODE along a path with fixed steps: from noise to data, or from data to noise where the path runs
 * that way.
 *
 *   dxt/dt = dAlpha x0 + dSigma noise
 *
 * @param path     with times and derivatives, as `flowPath` makes it
 * @param denoise  from `denoiser`; whatever the network predicts
 * @param xT       where the path begins, `[B, C, H, W]`; not disposed of
 * @returns yields every step; see `SamplerStep` for who owns what. `x0` is the estimate at the start of the step
 * @throws RangeError or TypeError at once for wrong options or a path without times; the signal's reason when stopped
 *
 * @example
 * const path = flowPath({ networkTime: 'towardsData', numSteps: 25 })
 * const x0 = await lastStep(rungeKutta(path, denoiser(predict, { prediction: 'velocity' }), xT))
 *
 * Song et al. 2021, "Score-Based Generative Modeling through SDEs", eq. 13; Lipman et al. 2023, eq. 1.
 */
export function rungeKutta(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  { method = 'heun2', lastMethod = method, signal }: RungeKuttaOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  checkStart('rungeKutta', 'xT', xT)
  const tableau = tableauOf('rungeKutta', method)
  const last = tableauOf('rungeKutta', lastMethod)
  timedSteps('rungeKutta', path, [tableau, last].some(isBetween))
  return asSamplerSteps(path, fixedSteps('rungeKutta', path, velocitySlope(denoise), [xT], tableau, signal, last))
}

/** Numbers the steps of an ODE for those who sample. */
export async function* asSamplerSteps(
  { steps }: Path,
  solved: AsyncGenerator<OdeStep, void, void>,
): AsyncGenerator<SamplerStep, void, void> {
  let index = 0
  for await (const { state, x0 } of solved) {
    yield { index, numSteps: steps.length, timestep: steps[index].from.timestep, xt: state[0], x0 }
    index++
  }
}
