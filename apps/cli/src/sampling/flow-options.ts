import type { Denoise } from '@dit/diffusion'
import { eulerMaruyama, type NoiseSource, type SamplerStep, type SdeLastStep, stochasticHeun } from '@dit/sampler'
import { type DiffusionForm, flowInterval } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import type { FlowProcessSpec } from '@dit/train-ddp'
import { type PathFlags, pathOfFlow } from './sampling-path.js'

/** Diffusion forms and last steps by their names on the command line. */
export const DIFFUSION_FORMS = [
  'constant',
  'sbdm',
  'sigma',
  'linear',
  'decreasing',
  'increasingDecreasing',
] as const satisfies readonly DiffusionForm[]
export const LAST_STEPS = ['none', 'mean', 'euler', 'tweedie'] as const satisfies readonly SdeLastStep[]

/** The solvers of SDEs among the samplers of flows. */
export const SDE_SOLVERS = { sde: eulerMaruyama, 'heun-sde': stochasticHeun } as const

export type SdeSamplerName = keyof typeof SDE_SOLVERS

/** What of the SDE's solvers can be chosen. */
export interface SdeSettings {
  readonly form?: DiffusionForm
  readonly norm?: number
  readonly lastStep?: SdeLastStep
  readonly lastStepSize?: number
}

/** Where the noisy steps of an SDE end; the last step leads from there to the estimate of x0. */
const LAST_STEP_SIZE = 0.04

/** Steps of an SDE that draw noise, of all that are asked for: the last one does not, where there is one. */
export function noisySteps(steps: number, { lastStep = 'tweedie' }: SdeSettings): number {
  return lastStep === 'none' ? steps : Math.max(1, steps - 1)
}

/**
 * Samples a flow by its SDE, on the interval of `flowInterval`: noisy steps of equal size down to the size of the last one, which has
 * no noise and leads to the data. Without a last step it stops a little before the data.
 *
 * SiT's `num_steps` counts the last step too: as many as `steps` here.
 */
export function sdeSteps(
  sampler: SdeSamplerName,
  process: FlowProcessSpec,
  denoise: Denoise,
  xT: Tensor,
  { sde: settings = {}, ...flags }: PathFlags & { readonly sde?: SdeSettings },
  noise: NoiseSource & { readonly signal?: AbortSignal },
): AsyncGenerator<SamplerStep, void, void> {
  const { interpolant, prediction } = process
  const { form = 'sigma', norm, lastStep = 'tweedie' } = settings
  const lastStepSize = lastStep === 'none' ? 0 : (settings.lastStepSize ?? LAST_STEP_SIZE)
  const isOwnReversal = form === 'sbdm'
  const ends = flowInterval({ interpolant, prediction, use: 'sde', lastStepSize, isOwnReversal })
  const path = pathOfFlow(process, { ...flags, steps: noisySteps(flags.steps, settings) }, ends)
  return SDE_SOLVERS[sampler](path, denoise, xT, { form, norm, lastStep, lastStepSize, ...noise })
}
