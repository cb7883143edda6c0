import type { Path, PathStep } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { runSteps, type SamplerStep } from './run-steps.js'
import type { StepResult } from './step-options.js'

/** The loop of a solver over a path: `runSteps` with the steps of the path in order. */
export function runPath(
  { steps }: Path,
  xT: Tensor,
  takeStep: (xt: Tensor, step: PathStep, index: number) => StepResult,
  signal?: AbortSignal,
): AsyncGenerator<SamplerStep, void, void> {
  const process = { numTimesteps: steps.length, timestepMap: steps.map(({ from }) => from.timestep).toReversed() }
  return runSteps(process, xT, 'down', (xt, _timesteps, index) => takeStep(xt, steps[index], index), signal)
}
