import type { Denoise, DenoiserOptions, Prediction } from '@dit/diffusion'
import type { NoiseLevel, Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import type { ChurnOptions } from '../churn.js'
import { type Fields, flag, number, requireOneOf } from '../diffusers-fields.js'
import { dynamicThreshold } from '../dynamic-threshold.js'
import type { NoiseSource } from '../noise.js'
import type { PathOptions } from '../run-path.js'
import type { SamplerStep } from '../sampler-step.js'

/** What diffusers' `set_timesteps` is told. */
export interface DiffusersSteps {
  readonly numSteps: number
  /** The shift for the size of the image, for `use_dynamic_shifting`: see `dynamicShift` of @dit/schedules. */
  readonly mu?: number
  /** Timesteps in place of those that the scheduler would space; their count must be `numSteps`. */
  readonly timesteps?: readonly number[]
  /** Sigmas of a flow before any shift, in place of those that the scheduler would space; their count must be `numSteps`. */
  readonly sigmas?: readonly number[]
  /** Whether the noise follows from the clipped x0 (default: it is the network's own): an argument of DDIM's `step` there. */
  readonly usesClippedModelOutput?: boolean
}

/** What diffusers' `step` is told. */
export interface DiffusersSolve extends PathOptions, ChurnOptions {
  /** Share of ancestral noise, for DDIM alone; 0 by default. */
  readonly eta?: number
  /** Slopes that LMS uses; 4 by default. */
  readonly order?: number
}

/** A scheduler of diffusers in our terms: a path, how the network is read, and a solver. */
export interface DiffusersPlan {
  /** The noise levels; unit noise times its `startScale` begins it. */
  readonly path: Path
  /** For `denoiser(predict, reading)`. */
  readonly reading: DenoiserOptions
  /** `[T]`, the process that the levels come from; null for flows and EDM. */
  readonly alphaBar: Float64Array | null
  /** Runs along the path, or a part of it. */
  readonly solve: (
    path: Path,
    denoise: Denoise,
    xT: Tensor,
    options: DiffusersSolve & Partial<NoiseSource>,
  ) => AsyncGenerator<SamplerStep, void, void>
}

/** Reads a scheduler's fields at once, and lays out its steps when their count is known. */
export type DiffusersClass = (fields: Fields) => (steps: DiffusersSteps) => DiffusersPlan

/** Throws for an option of a step that the scheduler does not have. */
export function refuseOptions(
  name: string,
  options: DiffusersSolve,
  has: readonly ('eta' | 'order' | 'churn')[] = [],
): void {
  const { eta = 0, churn = 0, order } = options
  const given = { eta: eta !== 0, churn: churn !== 0, order: order !== undefined }
  for (const [option, isGiven] of Object.entries(given)) {
    if (!isGiven || has.includes(option as 'eta')) continue
    const rule = option === 'order' ? 'left out' : '0'
    throw new RangeError(
      `diffusersSampler: ${option} must be ${rule} with ${name} (got ${String(options[option as 'eta'])})`,
    )
  }
}

/** Throws for an option of the steps that the scheduler does not have. */
export function refuseSteps(name: string, steps: DiffusersSteps, has: readonly (keyof DiffusersSteps)[] = []): void {
  const { numSteps } = steps
  if (!Number.isSafeInteger(numSteps) || numSteps < 1) {
    throw new RangeError(`diffusersSampler: numSteps must be a positive integer (got ${numSteps})`)
  }
  for (const option of ['mu', 'timesteps', 'sigmas', 'usesClippedModelOutput'] as const) {
    if (steps[option] !== undefined && !has.includes(option)) {
      throw new RangeError(`diffusersSampler: ${option} must be left out with ${name}`)
    }
  }
  for (const option of ['timesteps', 'sigmas'] as const) {
    const count = steps[option]?.length ?? numSteps
    if (count !== numSteps) {
      throw new RangeError(`diffusersSampler: ${option} must hold numSteps values, ${numSteps} (got ${count})`)
    }
  }
}

/**
 * Throws unless the custom timesteps, if any, lie in a process of T timesteps and fall.
 *
 * @param isWhole whether there is nothing between two timesteps
 */
export function checkTimesteps(
  name: string,
  timesteps: readonly number[] | undefined,
  numTimesteps: number,
  isWhole: boolean,
): void {
  const fits = (timestep: number, i: number, all: readonly number[]) =>
    timestep >= 0 &&
    timestep <= numTimesteps - 1 &&
    (!isWhole || Number.isInteger(timestep)) &&
    (i === 0 || timestep < all[i - 1])
  if (timesteps === undefined || timesteps.every(fits)) return
  throw new RangeError(
    `diffusersSampler: timesteps of ${name} must be ${isWhole ? 'integers' : 'numbers'} in 0..${numTimesteps - 1} that fall throughout (got ${timesteps.slice(0, 8).join(', ')})`,
  )
}

const PREDICTIONS: Readonly<Record<string, Prediction>> = {
  epsilon: 'epsilon',
  sample: 'x0',
  original_sample: 'x0',
  v_prediction: 'v',
  flow_prediction: 'velocity',
}

/** `prediction_type`, one of those that the class knows. */
export function predictionOf(fields: Fields, allowed: readonly string[]): Prediction {
  return PREDICTIONS[requireOneOf(fields, 'prediction_type', allowed)]
}

/** Dynamic thresholding where the fields ask for it, for the option `denoise`. */
export function thresholdOf(fields: Fields): Pick<DenoiserOptions, 'denoise'> {
  if (!flag(fields, 'thresholding', false)) return {}
  const ratio = number(fields, 'dynamic_thresholding_ratio', 0.995)
  return { denoise: dynamicThreshold({ ratio, max: number(fields, 'sample_max_value', 1) }) }
}

/** Thresholding, or else the clamp of `clip_sample`. */
export function clipOf(fields: Fields, clipsByDefault: boolean): Pick<DenoiserOptions, 'denoise' | 'clipRange'> {
  const threshold = thresholdOf(fields)
  if (threshold.denoise !== undefined || !flag(fields, 'clip_sample', clipsByDefault)) return threshold
  return { clipRange: number(fields, 'clip_sample_range', 1) }
}

/** How sigmas are spread where the timesteps do not say: one of the three at most. */
export function spreadOf(fields: Fields): 'karras' | 'exponential' | 'beta' | null {
  const asked = (['karras', 'exponential', 'beta'] as const).filter((name) => flag(fields, `use_${name}_sigmas`, false))
  if (asked.length <= 1) return asked[0] ?? null
  throw new RangeError(
    `scheduler_config.json: one at most of ${asked.map((name) => `use_${name}_sigmas`).join(', ')} may be true`,
  )
}

/** A number or null. */
export function optionalNumber(fields: Fields, name: string): number | null {
  return (fields[name] ?? null) === null ? null : number(fields, name, 0)
}

/** `timestep_spacing`, the class's default first. */
export function spacingOf(fields: Fields, fallback: 'leading' | 'linspace') {
  const others = (['leading', 'linspace', 'trailing'] as const).filter((spacing) => spacing !== fallback)
  return requireOneOf(fields, 'timestep_spacing', [fallback, ...others])
}

/** A level from a share of the signal's variance. */
export function levelOfShare(alphaBar: number, timestep: number): NoiseLevel {
  return { alpha: Math.sqrt(alphaBar), sigma: Math.sqrt(1 - alphaBar), timestep }
}

/** alphaBar of a process that ends at 2^-24 rather than 0, so that the first sigma is 4096 and not infinite. */
export function withFiniteEnd(alphaBar: Float64Array): Float64Array {
  return alphaBar.with(alphaBar.length - 1, 2 ** -24)
}
