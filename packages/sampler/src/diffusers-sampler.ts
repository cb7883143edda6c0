import type { Predict } from '@dit/diffusion'
import { ddimSteps, diffusionTables, dpmSteps, type TimestepSpacing } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { ddimOverSteps } from './ddim-over-steps.js'
import { fieldsOf, type Fields, flag, number, requireOneOf } from './diffusers-fields.js'
import { processOf } from './diffusers-process.js'
import { dpmSolver } from './dpm-solver.js'
import type { NoiseSource } from './noise.js'
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

/**
 * The sampler of a diffusers folder, from its `scheduler/scheduler_config.json`: `DDIMScheduler`, or
 * `DPMSolverMultistepScheduler` as DPM-Solver++ of order 1 or 2. Where a field is missing, that library's default holds.
 *
 * @param json the file parsed, or its text: Python writes -Infinity there, which JSON.parse refuses
 * @throws RangeError when it asks for what there is not, such as another scheduler or dynamic thresholding
 * @throws TypeError when it is no object or a field has the wrong kind
 */
export function diffusersSampler(json: unknown): PipelineSampler {
  const fields = fieldsOf(json)
  requireOneOf(fields, 'thresholding', [false])
  switch (fields['_class_name']) {
    case 'DDIMScheduler':
      return ddimOf(fields)
    case 'DPMSolverMultistepScheduler':
      return dpmSolverOf(fields)
    default:
      throw new RangeError(
        `scheduler_config.json: _class_name must be DDIMScheduler or DPMSolverMultistepScheduler (got ${JSON.stringify(fields['_class_name'])})`,
      )
  }
}

function ddimOf(fields: Fields): PipelineSampler {
  const { betas, predictionType } = processOf(fields)
  const { alphaBar } = diffusionTables(betas)
  const spacing = spacingOf(fields, 'leading')
  const stepsOffset = number(fields, 'steps_offset', 0)
  const setAlphaToOne = flag(fields, 'set_alpha_to_one', true)
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
  const { betas, predictionType } = processOf(fields)
  const { alphaBar } = diffusionTables(betas)
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
    predictionType,
    order: number(fields, 'solver_order', 2) === 1 ? 1 : 2,
    lowerOrderFinal: flag(fields, 'lower_order_final', true),
    eulerAtFinal: flag(fields, 'euler_at_final', false),
  } as const
  return (predict, xT, { numSteps, signal, eta = 0 }) => {
    if (eta !== 0) throw new RangeError(`diffusersSampler: eta must be 0 with DPM-Solver++ (got ${eta})`)
    return dpmSolver(dpmSteps({ ...steps, numSteps }), predict, xT, { ...solver, signal })
  }
}

function spacingOf(fields: Fields, fallback: TimestepSpacing): TimestepSpacing {
  const others = (['leading', 'linspace', 'trailing'] as const).filter((spacing) => spacing !== fallback)
  return requireOneOf(fields, 'timestep_spacing', [fallback, ...others])
}
