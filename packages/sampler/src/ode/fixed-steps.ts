import type { Path } from '@dit/schedules'
import { dispose, scope } from '@dit/tensor'
import { otherTasks } from '../other-tasks.js'
import { advance, type OdeStep, type Slope, type State, type TimedLevel, timedSteps } from './slope.js'
import type { Tableau } from './tableau.js'

/** Integrates along a path with one Runge-Kutta step for each of its own, the last of them by a method of its own. */
export async function* fixedSteps(
  caller: string,
  path: Path,
  slope: Slope,
  start: State,
  tableau: Tableau,
  signal?: AbortSignal,
  lastTableau = tableau,
): AsyncGenerator<OdeStep, void, void> {
  const needsAt = [tableau, lastTableau].some(isBetween)
  const steps = timedSteps(caller, path, needsAt)
  let held: OdeStep | null = null
  try {
    for (const [index, step] of steps.entries()) {
      await otherTasks()
      signal?.throwIfAborted()
      const state: State = held?.state ?? start
      const isLast = index === steps.length - 1
      const result: OdeStep = scope(() => oneStep(path, slope, state, step, isLast ? lastTableau : tableau))
      dispose(held)
      held = isLast ? null : result
      yield result
    }
  } finally {
    dispose(held)
  }
}

/** Whether a method asks the network between the ends of a step. */
export function isBetween({ nodes }: Tableau): boolean {
  return nodes.some((node) => node !== 0 && node !== 1)
}

function oneStep(
  path: Path,
  slope: Slope,
  state: State,
  step: { readonly from: TimedLevel; readonly to: TimedLevel },
  { nodes, stages, weights }: Tableau,
): OdeStep {
  const { from, to } = step
  const dt = to.t - from.t
  const levelAt = (node: number) => (node === 0 ? from : node === 1 ? to : path.at!(from.t + node * dt))
  const first = slope(state, from, step)
  const slopes = [first.slopes]
  for (let i = 1; i < nodes.length; i++) {
    slopes.push(slope(advance(state, slopes, stages[i], dt), levelAt(nodes[i]), step).slopes)
  }
  return { state: advance(state, slopes, weights, dt), x0: first.x0 }
}
