import { directBetas, namedBetas } from '@dit/schedules'
import { fieldsOf, type Fields, number, requireOneOf } from './diffusers-fields.js'
import type { PredictionType } from './predicted-x0.js'

/** The process that a diffusers folder was trained on. */
export interface DiffusersProcess {
  /** `[T]`, for `gaussianDiffusion({ betas })` and others. */
  readonly betas: Float64Array
  readonly predictionType: PredictionType
}

/**
 * The process of a diffusers folder, from its `scheduler/scheduler_config.json`, whatever scheduler that asks for: what any
 * sampler of ours needs to take the scheduler's place. Where a field is missing, that library's default holds.
 *
 * @param json the file parsed, or its text: Python writes -Infinity there, which JSON.parse refuses
 * @throws RangeError when its betas or its prediction are others than there are here, TypeError when a field has the wrong kind
 */
export function diffusersProcess(json: unknown): DiffusersProcess {
  return processOf(fieldsOf(json))
}

export function processOf(fields: Fields): DiffusersProcess {
  const prediction = requireOneOf(fields, 'prediction_type', ['epsilon', 'sample', 'v_prediction'])
  return {
    betas: betasOf(fields),
    predictionType: prediction === 'sample' ? 'x0' : prediction === 'v_prediction' ? 'v' : 'epsilon',
  }
}

function betasOf(fields: Fields): Float64Array {
  requireOneOf(fields, 'rescale_betas_zero_snr', [false])
  const trained = fields['trained_betas'] ?? null
  if (Array.isArray(trained) && trained.every((beta) => typeof beta === 'number')) return Float64Array.from(trained)
  requireOneOf(fields, 'trained_betas', [])
  const numTimesteps = number(fields, 'num_train_timesteps', 1000)
  const [betaStart, betaEnd] = [number(fields, 'beta_start', 0.0001), number(fields, 'beta_end', 0.02)]
  const schedule = requireOneOf(fields, 'beta_schedule', ['linear', 'scaled_linear', 'squaredcos_cap_v2'])
  if (schedule === 'squaredcos_cap_v2') return namedBetas('squaredcos_cap_v2', numTimesteps)
  return directBetas(schedule === 'linear' ? 'linear' : 'scaled_linear', { numTimesteps, betaStart, betaEnd })
}
