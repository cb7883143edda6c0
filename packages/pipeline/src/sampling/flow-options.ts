import type { SdeLastStep } from '@dit/sampler'
import type { DiffusionForm } from '@dit/schedules'

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
export const SDE_SAMPLERS = ['sde', 'heun-sde'] as const

export type SdeSamplerName = (typeof SDE_SAMPLERS)[number]

export function isSdeSampler(name: string): name is SdeSamplerName {
  return (SDE_SAMPLERS as readonly string[]).includes(name)
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

/** Steps of an SDE that draw noise, of all that are asked for: the last one does not, where there is one. */
export function noisySteps(steps: number, { lastStep = 'tweedie' }: SdeOptions): number {
  return lastStep === 'none' ? steps : Math.max(1, steps - 1)
}
