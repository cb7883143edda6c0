import { type Denoise, velocityOf } from '@dit/diffusion'
import type { NoiseLevel, Path, PathStep } from '@dit/schedules'
import { add, affine, reshape, scope, type Tensor } from '@dit/tensor'

/** What changes along a path: xt, and whatever is integrated beside it. */
export type State = readonly Tensor[]

/**
 * Derivatives of a state by t at a level, and the estimate of x0 that they were made of. Called in a scope.
 *
 * @param step the one that is being taken, where its length is that of the path's
 */
export type Slope = (
  state: State,
  level: NoiseLevel,
  step?: PathStep,
) => { readonly slopes: State; readonly x0: Tensor }

/** What a solver yields at each level of a path. Owned as in `SamplerStep`. */
export interface OdeStep {
  readonly state: State
  readonly x0: Tensor
}

/** A level with its time and derivatives: what an ODE needs. */
export type TimedLevel = NoiseLevel & { readonly t: number }

/** The slope of the probability-flow ODE: what a sampler integrates. */
export function velocitySlope(denoise: Denoise): Slope {
  return ([xt], level, step) => {
    const parts = denoise(xt, level, step)
    return { slopes: [handle(velocityOf(parts, xt, level))], x0: handle(parts.x0) }
  }
}

/** Another handle of a tensor's memory: a network may return its own input. */
export function handle(x: Tensor): Tensor {
  return reshape(x, x.shape)
}

/** state + dt sum of weights[i] slopes[i]; without terms a handle of the state itself. */
export function advance(state: State, slopes: readonly State[], weights: readonly number[], dt: number): State {
  return state.map((x, part) =>
    scope(() => {
      let sum = handle(x)
      for (const [i, weight] of weights.entries()) {
        if (weight !== 0) sum = add(sum, affine(slopes[i][part], weight * dt))
      }
      return sum
    }),
  )
}

/**
 * The steps of a path whose levels have a time and derivatives.
 *
 * @throws RangeError for other paths, or one without `at` where it is needed
 */
export function timedSteps(
  caller: string,
  path: Path,
  needsAt: boolean,
): readonly { readonly from: TimedLevel; readonly to: TimedLevel }[] {
  if (needsAt && path.at === undefined) {
    throw new RangeError(`${caller}: it looks between the levels of a path, which needs \`at\`, as flowPath has`)
  }
  return path.steps.map(({ from, to }) => ({ from: timed(caller, from), to: timed(caller, to) }))
}

function timed(caller: string, level: NoiseLevel): TimedLevel {
  const { t, dAlpha, dSigma } = level
  if (t !== undefined && dAlpha !== undefined && dSigma !== undefined) return { ...level, t }
  throw new RangeError(
    `${caller}: levels need t, dAlpha and dSigma, as those of flowPath have (the one at timestep ${level.timestep} lacks some)`,
  )
}
