import { ddimTimesteps, type SpacingOptions } from './timestep-spacing.js'

/** The steps of a DDIM sampler, from the noisiest down: entry i belongs to step i. */
export interface DdimSteps {
  /** What the model is told. */
  readonly timesteps: Int32Array
  /** Share of the signal's variance before the step. */
  readonly alphaBar: Float64Array
  /** And after it. */
  readonly alphaBarPrev: Float64Array
}

export interface DdimStepsOptions extends Omit<SpacingOptions, 'numTimesteps'> {
  /** `[T]`, such as `diffusionTables(betas).alphaBar`. */
  readonly alphaBar: Float64Array
  /** Whether the last step leads to no noise at all (by default), or to that of timestep 0. */
  readonly setAlphaToOne?: boolean
}

/**
 * The steps of DDIM as diffusers takes them. Each leads floor(T / N) timesteps down, whatever the spacing: with `linspace`,
 * and with `trailing` where N does not divide T, not exactly to where the next begins.
 *
 * @throws RangeError when the steps do not fit the timesteps
 *
 * Song et al. 2021, "Denoising Diffusion Implicit Models", section 4.2; Lin et al. 2024, table 2 (spacing).
 */
export function ddimSteps({ alphaBar, setAlphaToOne = true, ...spacing }: DdimStepsOptions): DdimSteps {
  const timesteps = ddimTimesteps({ numTimesteps: alphaBar.length, ...spacing })
  const stride = Math.floor(alphaBar.length / spacing.numSteps)
  const last = setAlphaToOne ? 1 : alphaBar[0]
  return {
    timesteps,
    alphaBar: Float64Array.from(timesteps, (timestep) => alphaBar[timestep]),
    alphaBarPrev: Float64Array.from(timesteps, (timestep) => (timestep >= stride ? alphaBar[timestep - stride] : last)),
  }
}
