import { completeProcess, gaussianDiffusion, type GaussianProcessSpec, isFlow, type ProcessSpec } from '@dit/diffusion'
import { fieldsOf } from './diffusers-fields.js'

/** Under what name a file that dit wrote keeps the process it was made from. diffusers passes over names that begin so. */
const MARK = '_dit_process'

/** The version of diffusers whose fields these are. */
const VERSION = '0.42.1'

/** Options of `diffusersConfigOf`. */
export interface DiffusersConfigOptions {
  /** Keep estimates of x0 in [-1, 1]: for networks of pixels. Default: false. */
  readonly clips?: boolean
}

/**
 * The `scheduler/scheduler_config.json` by which diffusers samples from a network of this process: a `DDPMScheduler`, or for straight
 * paths a `FlowMatchEulerDiscreteScheduler`. `diffusersProcess` and `diffusersFlow` read them back.
 *
 * @returns null where diffusers has no scheduler for the process: a flow whose network is told another time than sigma 1000, or has another
 *   path or prediction; a Gaussian diffusion that predicts the previous x, or is respaced; a distilled student, which
 *   knows no other steps than its own
 */
export function diffusersConfigOf(
  spec: ProcessSpec,
  { clips = false }: DiffusersConfigOptions = {},
): Readonly<Record<string, unknown>> | null {
  const process = completeProcess(spec)
  if (process.distilled !== undefined) return null
  const fields = isFlow(process) ? flowFields(process) : gaussianFields(process, clips)
  return fields === null ? null : { ...fields, _diffusers_version: VERSION, [MARK]: process }
}

/**
 * Whether a `scheduler_config.json` is one that dit wrote from a process, as it was written: then it says the process to diffusers, and
 * is nobody's choice of a sampler.
 *
 * @param json the file parsed, or its text
 * @throws RangeError when the text is not JSON, TypeError when it is no object
 */
export function isWrittenScheduler(json: unknown): boolean {
  const fields = fieldsOf(json)
  const process = fields[MARK]
  if (typeof process !== 'object' || process === null) return false
  try {
    const written = diffusersConfigOf(process, { clips: fields['clip_sample'] === true })
    return written !== null && sorted(written) === sorted(fields)
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return false
    throw error
  }
}

function sorted(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

const PREDICTIONS: Readonly<Record<string, string>> = { epsilon: 'epsilon', x0: 'sample' }

const VARIANCES: Readonly<Record<string, string>> = {
  fixedSmall: 'fixed_small',
  fixedLarge: 'fixed_large',
  learned: 'learned',
  learnedRange: 'learned_range',
}

function gaussianFields(process: GaussianProcessSpec, clips: boolean): Record<string, unknown> | null {
  const { meanType = 'epsilon', varianceType = 'learnedRange', respacing } = process
  const prediction = PREDICTIONS[meanType]
  if (prediction === undefined || respacing !== undefined) return null
  return {
    _class_name: 'DDPMScheduler',
    ...betaFields(process),
    prediction_type: prediction,
    variance_type: VARIANCES[varianceType],
    clip_sample: clips,
    clip_sample_range: 1,
    timestep_spacing: 'leading',
    steps_offset: 0,
  }
}

function betaFields({ schedule, numTimesteps = 1000, betas, betaStart, betaEnd }: GaussianProcessSpec): object {
  if (betas !== undefined) return { num_train_timesteps: betas.length, trained_betas: Object.values(betas) }
  const scale = 1000 / numTimesteps
  const count = { num_train_timesteps: numTimesteps, trained_betas: null }
  if (schedule === 'squaredcos_cap_v2') return { ...count, beta_schedule: 'squaredcos_cap_v2' }
  const isPlain = schedule === 'linear' && betaStart === undefined && betaEnd === undefined
  if (isPlain) return { ...count, beta_schedule: 'linear', beta_start: scale * 0.0001, beta_end: scale * 0.02 }
  const { tables } = gaussianDiffusion({ schedule, numTimesteps, betaStart, betaEnd })
  return { num_train_timesteps: numTimesteps, trained_betas: [...tables.betas] }
}

function flowFields(process: ProcessSpec & { readonly kind: 'flow' }): Record<string, unknown> | null {
  const { interpolant, prediction, networkTime, timestepScale, times } = process
  const isTheirs =
    interpolant === 'linear' && prediction === 'velocity' && networkTime === 'towardsNoise' && timestepScale === 1000
  if (!isTheirs) return null
  return { _class_name: 'FlowMatchEulerDiscreteScheduler', num_train_timesteps: 1000, shift: times?.shift ?? 1 }
}
