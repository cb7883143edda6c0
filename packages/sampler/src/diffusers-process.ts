import { betasFromAlphaBar, directBetas, namedBetas, zeroTerminalSnr } from '@dit/schedules'
import { fieldsOf, type Fields, flag, number, requireOneOf } from './diffusers-fields.js'

/** The process that a diffusers folder was trained on. */
export interface DiffusersProcess {
  /** `[T]`, for `gaussianDiffusion({ betas })` and others. The last is 1 with zero terminal SNR. */
  readonly betas: Float64Array
  readonly predictionType: 'epsilon' | 'x0' | 'v'
}

/** The schedulers of a Gaussian process, with the defaults of their betas. */
const GAUSSIAN: Readonly<Record<string, readonly [betaStart: number, betaEnd: number]>> = {
  ...Object.fromEntries(
    [
      'DDIM',
      'DDIMInverse',
      'DDIMParallel',
      'DDPM',
      'DDPMParallel',
      'DEISMultistep',
      'DPMSolverMultistep',
      'DPMSolverMultistepInverse',
      'DPMSolverSinglestep',
      'EulerAncestralDiscrete',
      'EulerDiscrete',
      'LMSDiscrete',
      'PNDM',
      'RePaint',
      'SASolver',
      'UniPCMultistep',
    ].map((name) => [`${name}Scheduler`, [0.0001, 0.02] as const]),
  ),
  HeunDiscreteScheduler: [0.00085, 0.012],
  KDPM2DiscreteScheduler: [0.00085, 0.012],
  KDPM2AncestralDiscreteScheduler: [0.00085, 0.012],
  DPMSolverSDEScheduler: [0.00085, 0.012],
}

/**
 * The process of a diffusers folder, from its `scheduler/scheduler_config.json`, whatever scheduler that asks for: what any
 * sampler of ours needs to take the scheduler's place. Where a field is missing, that library's default holds.
 *
 * @param json the file parsed, or its text: Python writes -Infinity there, which JSON.parse refuses
 * @throws RangeError for a scheduler whose process is not Gaussian (flow matching, EDM, consistency models, ...), and for betas or a
 *   prediction that are not known here
 * @throws TypeError when a field has the wrong kind
 */
export function diffusersProcess(json: unknown): DiffusersProcess {
  const fields = fieldsOf(json)
  if (!hasGaussianClass(fields)) {
    const name = JSON.stringify(fields['_class_name'])
    throw new RangeError(
      `scheduler_config.json: ${name} is not known as a scheduler of a Gaussian process, so its network cannot be read as one`,
    )
  }
  if (flag(fields, 'use_flow_sigmas', false)) {
    throw new RangeError(
      'scheduler_config.json: use_flow_sigmas is true: its network knows a straight path, not a Gaussian process',
    )
  }
  const prediction = requireOneOf(fields, 'prediction_type', ['epsilon', 'sample', 'v_prediction'])
  return {
    betas: betasOf(fields),
    predictionType: prediction === 'sample' ? 'x0' : prediction === 'v_prediction' ? 'v' : 'epsilon',
  }
}

/**
 * Whether a scheduler's network was trained on a Gaussian process: `diffusersProcess` then says which. Not so for flow matching, EDM,
 * consistency models, and classes that are not known here.
 *
 * @throws RangeError when the text is not JSON, TypeError when it is no object
 */
export function hasGaussianProcess(json: unknown): boolean {
  const fields = fieldsOf(json)
  return hasGaussianClass(fields) && !flag(fields, 'use_flow_sigmas', false)
}

/** DDIM where no class is named, as in the library's oldest files. */
function hasGaussianClass(fields: Fields): boolean {
  const name = fields['_class_name'] ?? 'DDIMScheduler'
  return typeof name === 'string' && Object.hasOwn(GAUSSIAN, name)
}

/** The betas of a scheduler, by the defaults of its class. */
export function betasOf(fields: Fields): Float64Array {
  const betas = scheduleOf(fields)
  return flag(fields, 'rescale_betas_zero_snr', false) ? zeroTerminalSnr(betas) : betas
}

/** What its betas are drawn between, by the defaults of its class. */
export function betaEnds(fields: Fields): { readonly betaStart: number; readonly betaEnd: number } {
  const [start, end] = GAUSSIAN[String(fields['_class_name'])] ?? [0.0001, 0.02]
  return { betaStart: number(fields, 'beta_start', start), betaEnd: number(fields, 'beta_end', end) }
}

function scheduleOf(fields: Fields): Float64Array {
  const name = String(fields['_class_name'])
  const trained = fields['trained_betas'] ?? null
  if (Array.isArray(trained) && trained.every((beta) => typeof beta === 'number')) return Float64Array.from(trained)
  requireOneOf(fields, 'trained_betas', [])
  const numTimesteps = number(fields, 'num_train_timesteps', 1000)
  const ends = { numTimesteps, ...betaEnds(fields) }
  const extra = name.startsWith('DDPM') ? ['sigmoid', 'laplace'] : name === 'HeunDiscreteScheduler' ? ['exp'] : []
  const schedule = requireOneOf(fields, 'beta_schedule', ['linear', 'scaled_linear', 'squaredcos_cap_v2', ...extra])
  switch (schedule) {
    case 'squaredcos_cap_v2':
      return namedBetas('squaredcos_cap_v2', numTimesteps)
    case 'laplace':
      return betasFromAlphaBar(laplaceAlphaBar, numTimesteps)
    case 'exp':
      return betasFromAlphaBar((t) => Math.exp(-12 * t), numTimesteps)
    default:
      return directBetas(schedule as 'linear' | 'scaled_linear' | 'sigmoid', ends)
  }
}

/**
 * The share of signal of diffusers' `laplace`: the root of snr / (1 + snr), with snr = exp(lambda) and
 * lambda = -sign(1 / 2 - t) log(1 - 2 |1 / 2 - t| + 1e-6) / 2.
 *
 * Hang et al. 2024, "Improved Noise Schedule for Diffusion Training", table 1.
 */
function laplaceAlphaBar(t: number): number {
  const side = t <= 0.5 ? 1 : -1
  const snr = Math.exp(-0.5 * side * Math.log(1 - 2 * Math.abs(0.5 - t) + 1e-6))
  return Math.sqrt(snr / (1 + snr))
}
