import type { Tensor } from '@dit/tensor'
import type { StepResult } from './step-options.js'

/**
 * What a sampling loop yields after every step.
 *
 * Both tensors live until the next step is asked for or the loop is left. Those of the last step belong to the caller.
 * To hold on to others take a handle of your own, which shares the memory: `reshape(step.xt, step.xt.shape)`.
 */
export interface SamplerStep extends StepResult {
  /** Number of the step as they run, from 0. */
  readonly index: number
  /** How many there will be. */
  readonly numSteps: number
  /** What the model was told at the beginning of the step: the timestep of its level. */
  readonly timestep: number
}

/**
 * Runs a sampling loop to its end.
 *
 * @param steps  from any sampler
 * @returns the last `xt`; the caller disposes of it
 * @throws RangeError when there was no step; whatever the loop throws
 *
 * @example
 * const x0 = await lastStep(ddpm(diffusion, predict, xT, { seed: 0 }))
 */
export async function lastStep(steps: AsyncIterable<SamplerStep>): Promise<Tensor> {
  let last: SamplerStep | null = null
  for await (const step of steps) last = step
  if (last === null) throw new RangeError('lastStep: there must be at least one step (got none)')
  // A loop of one's own may hand on its estimate as the next state.
  if (last.x0 !== last.xt) last.x0.dispose()
  return last.xt
}
