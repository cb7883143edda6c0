import type { Predict } from '@dit/diffusion'
import { ddimSteps, diffusionTables, directBetas, dpmSteps, namedBetas, type TimestepSpacing } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { ddimOverSteps } from './ddim-over-steps.js'
import { dpmSolver } from './dpm-solver.js'
import type { NoiseSource } from './noise.js'
import type { PredictionType } from './predicted-x0.js'
import type { SamplerStep } from './run-steps.js'

export interface PipelineSamplerOptions {
  readonly numSteps: number
  /** Share of ancestral noise, for DDIM alone; 0 by default. */
  readonly eta?: number
  readonly signal?: AbortSignal
}

/** Runs from noise to x0: the sampler that a folder of diffusers asks for. */
export type PipelineSampler = (
  predict: Predict,
  xT: Tensor,
  options: PipelineSamplerOptions & Partial<NoiseSource>,
) => AsyncGenerator<SamplerStep, void, void>

type Fields = Readonly<Record<string, unknown>>

const MINUS_INFINITY = /(:\s*)-Infinity(\s*[,}])/g

/**
 * The sampler of a diffusers folder, from its `scheduler/scheduler_config.json`: `DDIMScheduler`, or
 * `DPMSolverMultistepScheduler` as DPM-Solver++ of order 1 or 2. Where a field is missing, that library's default holds.
 *
 * @param json the file parsed, or its text: Python writes -Infinity there, which JSON.parse refuses
 * @throws RangeError when it asks for what there is not, such as another scheduler or dynamic thresholding
 * @throws TypeError when it is no object or a field has the wrong kind
 */
export function diffusersSampler(json: unknown): PipelineSampler {
  const parsed: unknown = typeof json === 'string' ? JSON.parse(json.replace(MINUS_INFINITY, '$1null$2')) : json
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) {
    throw new TypeError(`diffusersSampler: the configuration must be an object (got ${JSON.stringify(parsed)})`)
  }
  const fields = parsed as Fields
  requireOneOf(fields, 'thresholding', [false])
  requireOneOf(fields, 'rescale_betas_zero_snr', [false])
  switch (fields['_class_name']) {
    case 'DDIMScheduler':
      return ddimOf(fields)
    case 'DPMSolverMultistepScheduler':
      return dpmSolverOf(fields)
    default:
      throw new RangeError(
        `diffusersSampler: _class_name must be DDIMScheduler or DPMSolverMultistepScheduler (got ${JSON.stringify(fields['_class_name'])})`,
      )
  }
}

function ddimOf(fields: Fields): PipelineSampler {
  const { alphaBar } = diffusionTables(betasOf(fields))
  const spacing = spacingOf(fields, 'leading')
  const stepsOffset = number(fields, 'steps_offset', 0)
  const setAlphaToOne = flag(fields, 'set_alpha_to_one', true)
  const predictionType = predictionOf(fields)
  const clipRange = flag(fields, 'clip_sample', true) ? number(fields, 'clip_sample_range', 1) : Infinity
  return (predict, xT, { numSteps, ...options }) =>
    ddimOverSteps(ddimSteps({ alphaBar, numSteps, spacing, stepsOffset, setAlphaToOne }), predict, xT, {
      ...options,
      predictionType,
      clipRange,
    })
}

function dpmSolverOf(fields: Fields): PipelineSampler {
  requireOneOf(fields, 'algorithm_type', ['dpmsolver++', 'deis'])
  requireOneOf(fields, 'solver_type', ['midpoint', 'logrho', 'bh1', 'bh2'])
  requireOneOf(fields, 'solver_order', [2, 1])
  requireOneOf(fields, 'final_sigmas_type', ['zero', 'sigma_min'])
  for (const name of ['use_lu_lambdas', 'use_exponential_sigmas', 'use_beta_sigmas', 'use_flow_sigmas']) {
    requireOneOf(fields, name, [false])
  }
  const { alphaBar } = diffusionTables(betasOf(fields))
  const steps = {
    alphaBar,
    spacing: spacingOf(fields, 'linspace'),
    stepsOffset: number(fields, 'steps_offset', 0),
    sigmas: flag(fields, 'use_karras_sigmas', false) ? 'karras' : 'schedule',
    finalSigma: (fields['final_sigmas_type'] ?? 'zero') === 'zero' ? 'zero' : 'sigmaMin',
    lambdaMin: typeof fields['lambda_min_clipped'] === 'number' ? fields['lambda_min_clipped'] : -Infinity,
    roundsTimesteps: fields['beta_schedule'] !== 'squaredcos_cap_v2',
  } as const
  const solver = {
    predictionType: predictionOf(fields),
    order: number(fields, 'solver_order', 2) === 1 ? 1 : 2,
    lowerOrderFinal: flag(fields, 'lower_order_final', true),
    eulerAtFinal: flag(fields, 'euler_at_final', false),
  } as const
  return (predict, xT, { numSteps, signal, eta = 0 }) => {
    if (eta !== 0) throw new RangeError(`diffusersSampler: eta must be 0 with DPM-Solver++ (got ${eta})`)
    return dpmSolver(dpmSteps({ ...steps, numSteps }), predict, xT, { ...solver, signal })
  }
}

function betasOf(fields: Fields): Float64Array {
  const trained = fields['trained_betas'] ?? null
  if (Array.isArray(trained) && trained.every((beta) => typeof beta === 'number')) return Float64Array.from(trained)
  requireOneOf(fields, 'trained_betas', [])
  const numTimesteps = number(fields, 'num_train_timesteps', 1000)
  const [betaStart, betaEnd] = [number(fields, 'beta_start', 0.0001), number(fields, 'beta_end', 0.02)]
  const schedule = requireOneOf(fields, 'beta_schedule', ['linear', 'scaled_linear', 'squaredcos_cap_v2'])
  if (schedule === 'squaredcos_cap_v2') return namedBetas('squaredcos_cap_v2', numTimesteps)
  return directBetas(schedule === 'linear' ? 'linear' : 'scaled_linear', { numTimesteps, betaStart, betaEnd })
}

function predictionOf(fields: Fields): PredictionType {
  const type = requireOneOf(fields, 'prediction_type', ['epsilon', 'sample', 'v_prediction'])
  return type === 'sample' ? 'x0' : type === 'v_prediction' ? 'v' : 'epsilon'
}

function spacingOf(fields: Fields, fallback: TimestepSpacing): TimestepSpacing {
  const others = (['leading', 'linspace', 'trailing'] as const).filter((spacing) => spacing !== fallback)
  return requireOneOf(fields, 'timestep_spacing', [fallback, ...others])
}

/** A field that is one of these values, the first of which is its default. */
function requireOneOf<T>(fields: Fields, name: string, allowed: readonly T[]): T {
  const value = fields[name] ?? allowed[0]
  if (value === undefined) return allowed[0]
  if (!(allowed as readonly unknown[]).includes(value)) {
    const rule = allowed.length === 0 ? 'left out' : allowed.map((each) => JSON.stringify(each)).join(' or ')
    throw new RangeError(`diffusersSampler: ${name} must be ${rule} (got ${JSON.stringify(value)})`)
  }
  return value as T
}

function number(fields: Fields, name: string, fallback: number): number {
  const value = fields[name] ?? fallback
  if (typeof value !== 'number') {
    throw new TypeError(`diffusersSampler: ${name} must be a number (got ${JSON.stringify(value)})`)
  }
  return value
}

function flag(fields: Fields, name: string, fallback: boolean): boolean {
  const value = fields[name] ?? fallback
  if (typeof value !== 'boolean') {
    throw new TypeError(`diffusersSampler: ${name} must be true or false (got ${JSON.stringify(value)})`)
  }
  return value
}
