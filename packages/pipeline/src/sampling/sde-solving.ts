import type { Denoise, FlowProcessSpec } from '@dit/diffusion'
import { eulerMaruyama, type NoiseSource, stochasticHeun } from '@dit/sampler'
import { flowInterval } from '@dit/schedules'
import { noisySteps, type SdeOptions, type SdeSamplerName } from './flow-options.js'
import { type PathOptions, pathOfFlow } from './sampling-path.js'
import type { Solving } from './solving.js'

const SDE_SOLVERS = { sde: eulerMaruyama, 'heun-sde': stochasticHeun } as const

/** Where the noisy steps of an SDE end; the last step leads from there to the estimate of x0. */
const LAST_STEP_SIZE = 0.04

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
