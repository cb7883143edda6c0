import { dispose, scope, type Tensor } from '@dit/tensor'
import { otherTasks } from './other-tasks.js'
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
  /** What the model was told at the beginning of the step: the timestep of the original process. */
  readonly timestep: number
}

/**
 * Runs a sampling loop to its end.
 *
 * @param steps  from `ddpm`, `ddim` or `ddimReverse`
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
  last.x0.dispose()
  return last.xt
}

/**
 * The loop behind every sampler: steps through all timesteps of the process, down to 0 or up from it.
 *
 * Other tasks of the program get their turn before each step, so that timers, input events and an `AbortSignal` are
 * heeded while an engine computes on this very thread.
 */
export async function* runSteps(
  { numTimesteps, timestepMap }: { readonly numTimesteps: number; readonly timestepMap: ArrayLike<number> },
  start: Tensor,
  direction: 'down' | 'up',
  takeStep: (xt: Tensor, timesteps: Int32Array, index: number) => StepResult,
  signal?: AbortSignal,
): AsyncGenerator<SamplerStep, void, void> {
  let held: StepResult | null = null
  try {
    for (let index = 0; index < numTimesteps; index++) {
      await otherTasks()
      signal?.throwIfAborted()
      const i = direction === 'down' ? numTimesteps - 1 - index : index
      const xt: Tensor = held?.xt ?? start
      const result = scope(() => takeStep(xt, new Int32Array(start.shape[0]).fill(i), index))
      dispose(held)
      held = index < numTimesteps - 1 ? result : null
      yield { index, numSteps: numTimesteps, timestep: timestepMap[i], xt: result.xt, x0: result.x0 }
    }
  } finally {
    dispose(held)
  }
}
