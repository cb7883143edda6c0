import { dpmTimesteps, type SpacingOptions } from './timestep-spacing.js'

/** The steps of a solver in terms of sigma, the deviation of the noise over the factor of the signal. */
export interface SigmaSteps {
  /** `[N]`, what the model is told, from the noisiest down. */
  readonly timesteps: Int32Array
  /** `[N + 1]`: step i leads from sigmas[i] to sigmas[i + 1]. */
  readonly sigmas: Float64Array
}

export interface DpmStepsOptions extends Omit<SpacingOptions, 'numTimesteps'> {
  /** `[T]`, such as `diffusionTables(betas).alphaBar`. */
  readonly alphaBar: Float64Array
  /**
   * `schedule` (by default): the sigmas of the timesteps that `spacing` names. `karras`: evenly apart in sigma^(1 / 7) over
   * the whole range of the schedule; the timesteps are then those nearest in log sigma, and `spacing` plays no part.
   */
  readonly sigmas?: 'schedule' | 'karras'
  /** `zero` (by default): the last step leads to no noise at all; `sigmaMin`: to that of timestep 0. */
  readonly finalSigma?: 'zero' | 'sigmaMin'
  /** Timesteps whose log signal-to-noise ratio, log(alpha / sigma), is smaller are left out; none by default. */
  readonly lambdaMin?: number
  /** Whether timesteps of `karras` are rounded (by default) or cut off, as diffusers does for the cosine schedule. */
  readonly roundsTimesteps?: boolean
}

/** Exponent of the spacing. Karras et al. 2022, section D.1. */
const RHO = 7

/**
 * The steps of DPM-Solver, as diffusers takes them.
 *
 *   sigma[t] = sqrt((1 - alphaBar[t]) / alphaBar[t])
 *   karras:  sigma_i = (sigmaMax^(1/7) + i / (N - 1) (sigmaMin^(1/7) - sigmaMax^(1/7)))^7
 *
 * @throws RangeError when the steps do not fit the timesteps
 *
 * Lu et al. 2022, "DPM-Solver++", section 5 and appendix; Karras et al. 2022, "Elucidating the Design Space of
 * Diffusion-Based Generative Models", eq. 5; Lin et al. 2024, table 2 (spacing).
 */
export function dpmSteps(options: DpmStepsOptions): SigmaSteps {
  const { alphaBar, sigmas = 'schedule', finalSigma = 'zero', lambdaMin = -Infinity, numSteps } = options
  const { spacing, stepsOffset, roundsTimesteps = true } = options
  const schedule = alphaBar.map((share) => Math.sqrt((1 - share) / share))
  const numTimesteps = alphaBar.length
  const empty = alphaBar.indexOf(0)
  if (empty >= 0) {
    throw new RangeError(
      `dpmSteps: alphaBar must be above 0, or sigma is infinite (it is 0 at timestep ${empty} of ${numTimesteps}; the linear schedule needs 21 or more)`,
    )
  }
  const numUsed = schedule.filter((sigma) => -Math.log(sigma) >= lambdaMin).length
  const timesteps = dpmTimesteps({ numTimesteps, numSteps, spacing, stepsOffset, numUsed })
  if (sigmas === 'schedule' && timesteps.some((timestep, i) => i > 0 && timestep === timesteps[i - 1])) {
    throw new RangeError(
      `dpmSteps: numSteps must be below ${numUsed} with ${spacing} spacing, which counts the step to no noise as one more; trailing takes ${numUsed} (got ${numSteps})`,
    )
  }
  const last = finalSigma === 'zero' ? 0 : schedule[0]
  if (sigmas === 'schedule') {
    return { timesteps, sigmas: Float64Array.of(...Array.from(timesteps, (timestep) => schedule[timestep]), last) }
  }
  const chosen = karrasSigmas(schedule[0], schedule[numTimesteps - 1], numSteps)
  const places = chosen.map((sigma) => timestepOf(schedule, sigma))
  return {
    timesteps: Int32Array.from(roundsTimesteps ? places.map(Math.round) : places),
    sigmas: Float64Array.of(...chosen, last),
  }
}

function karrasSigmas(sigmaMin: number, sigmaMax: number, numSteps: number): Float64Array {
  const [low, high] = [sigmaMin ** (1 / RHO), sigmaMax ** (1 / RHO)]
  return Float64Array.from({ length: numSteps }, (_, i) => {
    const share = numSteps === 1 ? 0 : i / (numSteps - 1)
    if (share === 1) return sigmaMin // not its seventh root's seventh power, which rounding moves
    return (high + share * (low - high)) ** RHO
  })
}

/** Where a sigma lies among those of a rising schedule, by its logarithm. */
function timestepOf(schedule: Float64Array, sigma: number): number {
  const below = Math.max(
    0,
    Math.min(
      schedule.length - 2,
      schedule.findLastIndex((each) => each <= sigma),
    ),
  )
  const [low, high] = [Math.log(schedule[below]), Math.log(schedule[below + 1])]
  const share = Math.min(1, Math.max(0, (Math.log(sigma) - low) / (high - low)))
  return below + share
}
