import type { Path } from '@dit/schedules'
import { dispose, scope } from '@dit/tensor'
import { otherTasks } from '../other-tasks.js'
import { advance, type OdeStep, type Slope, type State, type TimedLevel, timedSteps } from './slope.js'
import type { Tableau } from './tableau.js'

/** Integrates along a path with one Runge-Kutta step for each of its own. */
export async function* fixedSteps(
  caller: string,
  path: Path,
  slope: Slope,
  start: State,
  tableau: Tableau,
  signal?: AbortSignal,
): AsyncGenerator<OdeStep, void, void> {
  const needsAt = tableau.nodes.some((node) => node !== 0 && node !== 1)
  const steps = timedSteps(caller, path, needsAt)
  let held: OdeStep | null = null
  try {
    for (const [index, step] of steps.entries()) {
      await otherTasks()
      signal?.throwIfAborted()
      const state: State = held?.state ?? start
      const result: OdeStep = scope(() => oneStep(path, slope, state, step, tableau))
      dispose(held)
      held = index < steps.length - 1 ? result : null
      yield result
    }
  } finally {
    dispose(held)
  }
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
