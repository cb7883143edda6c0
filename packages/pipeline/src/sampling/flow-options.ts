import type { Denoise, FlowProcessSpec } from '@dit/diffusion'
import { eulerMaruyama, type NoiseSource, type SdeLastStep, stochasticHeun } from '@dit/sampler'
import { type DiffusionForm, flowInterval } from '@dit/schedules'
import { type PathOptions, pathOfFlow } from './sampling-path.js'
import type { Solving } from './solving.js'

/** How much noise the SDE of a flow has over time. */
export const DIFFUSION_FORMS = [
  'constant',
  'sbdm',
  'sigma',
  'linear',
  'decreasing',
  'increasingDecreasing',
] as const satisfies readonly DiffusionForm[]

/** How an SDE ends, without noise. */
export const LAST_STEPS = ['none', 'mean', 'euler', 'tweedie'] as const satisfies readonly SdeLastStep[]

/** The solvers of SDEs among the samplers of flows. */
export const SDE_SOLVERS = { sde: eulerMaruyama, 'heun-sde': stochasticHeun } as const

export type SdeSamplerName = keyof typeof SDE_SOLVERS

export function isSdeSampler(name: string): name is SdeSamplerName {
  return Object.hasOwn(SDE_SOLVERS, name)
}

/** What of the SDE's solvers can be chosen. */
export interface SdeOptions {
  /** How much noise it adds over time; `sigma` by default. */
  readonly diffusionForm?: DiffusionForm
  /** By which that noise is scaled; 1 by default. */
  readonly diffusionNorm?: number
  /** How it ends; `tweedie`, the estimate of the data, by default. */
  readonly lastStep?: SdeLastStep
  /** Where that last step begins, and its size; 0.04 by default. */
  readonly lastStepSize?: number
}

/** Where the noisy steps of an SDE end; the last step leads from there to the estimate of x0. */
const LAST_STEP_SIZE = 0.04

/** Steps of an SDE that draw noise, of all that are asked for: the last one does not, where there is one. */
export function noisySteps(steps: number, { lastStep = 'tweedie' }: SdeOptions): number {
  return lastStep === 'none' ? steps : Math.max(1, steps - 1)
}

/**
 * How a flow is solved by its SDE, on the interval of `flowInterval`: noisy steps of equal size down to the size of the last one, which has
 * no noise and leads to the data. Without a last step it stops a little before the data.
 *
 * SiT's `num_steps` counts the last step too: as many as `steps` here.
 */
export function sdeSolving(
  sampler: SdeSamplerName,
  process: FlowProcessSpec,
  denoise: Denoise,
  options: PathOptions & SdeOptions,
  noise: NoiseSource & { readonly signal?: AbortSignal },
): Solving {
  const { interpolant, prediction } = process
  const { diffusionForm: form = 'sigma', diffusionNorm: norm, lastStep = 'tweedie' } = options
  const lastStepSize = lastStep === 'none' ? 0 : (options.lastStepSize ?? LAST_STEP_SIZE)
  const isOwnReversal = form === 'sbdm'
  const ends = flowInterval({ interpolant, prediction, use: 'sde', lastStepSize, isOwnReversal })
  const path = pathOfFlow(process, { ...options, steps: noisySteps(options.steps, options) }, ends)
  const settings = { form, norm, lastStep, lastStepSize, ...noise }
  return { path, denoise, scale: 1, solve: (...at) => SDE_SOLVERS[sampler](...at, settings) }
}
