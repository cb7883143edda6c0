import { type Path, pathThrough } from '@dit/schedules'
import type { Process } from '../process.js'
import { checkDistilled, type DistilledSteps } from './distilled-steps.js'

/**
 * The path of a student of few steps: every `startSteps / numSteps`-th level of the first teacher's path, and its end. Each stage of
 * progressive distillation halves the number of steps, so that a student's levels are always levels of its teacher.
 *
 * @returns `numSteps` steps; sample a student with `ddim` along it
 * @throws RangeError unless both are positive integers and `startSteps` is `numSteps` times a power of two; and as `process.path`
 *
 * Salimans and Ho 2022, "Progressive Distillation for Fast Sampling of Diffusion Models", algorithm 2.
 */
export function distilledPath(process: Process, { startSteps, numSteps }: DistilledSteps): Path {
  checkDistilled({ startSteps, numSteps })
  const stride = startSteps / numSteps
  const { steps, startScale } = process.path({ numSteps: startSteps })
  const levels = [...steps.filter((_, i) => i % stride === 0).map(({ from }) => from), steps[steps.length - 1].to]
  return pathThrough(levels, { startScale })
}
