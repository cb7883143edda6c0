import type { NoiseLevel, Path, PathStep } from '@dit/schedules'
import { dispose, keep, reshape, scope, type Tensor } from '@dit/tensor'
import { otherTasks } from './other-tasks.js'
import type { SamplerStep } from './sampler-step.js'
import { checkStart, type StepResult } from './step-options.js'

/** What every solver over a path understands. */
export interface PathOptions {
  /** Stops the loop between two steps: it frees what it holds and throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** What a step of a solver hands on: `xt` at the end of the step, the estimate `x0` that led there. */
export interface TakenStep extends StepResult {
  /** For the steps that follow, which get it as `carried`. */
  readonly carry?: readonly Tensor[]
}

/**
 * One step. What it makes is freed, but for what it returns.
 *
 * @param xt      `[B, C, H, W]` at the first level of the step
 * @param carried what the step before handed on, none at first
 */
export type TakeStep = (xt: Tensor, step: PathStep, index: number, carried: readonly Tensor[]) => TakenStep

/**
 * The loop behind every solver over a path, also behind one of your own: from `xT` through all steps.
 *
 * Other tasks of the program get their turn before each step. A step runs in a scope; what it returns is held until the next is
 * asked for, what it carries until the next step has run.
 *
 * @param xT samples at the first level of the path, `[B, C, H, W]`; not disposed of
 * @returns yields every step; see `SamplerStep` for who owns what
 * @throws the signal's reason when stopped
 */
export async function* runPath(
  { steps }: Path,
  xT: Tensor,
  takeStep: TakeStep,
  { signal }: PathOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  let held: StepResult | null = null
  let carried: readonly Tensor[] = []
  try {
    for (const [index, step] of steps.entries()) {
      await otherTasks()
      signal?.throwIfAborted()
      const xt: Tensor = held?.xt ?? xT
      const taken = scope(() => {
        const { xt: next, x0, carry = [] } = takeStep(xt, step, index, carried)
        // Handles of their own: a step may return what it also carries, or what the network keeps.
        return { xt: handle(next), x0: handle(x0), carry: carry.map(handle) }
      })
      dispose([held, carried])
      carried = keep(taken.carry)
      const isLast = index === steps.length - 1
      held = isLast ? null : { xt: taken.xt, x0: taken.x0 }
      if (isLast) {
        dispose(carried)
        carried = []
      }
      yield { index, numSteps: steps.length, timestep: step.from.timestep, xt: taken.xt, x0: taken.x0 }
    }
  } finally {
    dispose([held, carried])
  }
}

function handle(x: Tensor): Tensor {
  return reshape(x, x.shape)
}

/** The newest first, at most `count` of them. */
export function latest(newest: Tensor, before: readonly Tensor[], count: number): readonly Tensor[] {
  return [newest, ...before].slice(0, count)
}

/**
 * Throws unless a solver can start from `xT` on this path.
 *
 * @param needsAlpha solvers that divide by alpha cannot begin where nothing of the signal is left
 */
export function checkPathStart(caller: string, { steps }: Path, xT: Tensor, needsAlpha = false): void {
  checkStart(caller, 'xT', xT)
  if (steps.length === 0) throw new RangeError(`${caller}: the path must have at least one step (got none)`)
  if (needsAlpha && steps.some(({ from, to }) => from.alpha === 0 || to.alpha === 0)) {
    throw new RangeError(
      `${caller}: alpha must be above 0 along the path, for this solver divides by it; begin a flow just below pure noise (flowPath with from: 0.999)`,
    )
  }
}

/** More than rounding makes of two equal levels. */
const ROUNDING = 1e-9

/**
 * Throws unless sigma / alpha falls in every step: solvers of higher order divide by the lengths of the steps.
 *
 * The last step is divided by in no other. It may be empty, as it is for schedulers of diffusers that end at the level they have
 * reached, and without fresh noise it may rise.
 */
export function checkFalling(caller: string, { steps }: Path, isSde = false): void {
  for (const [index, { from, to }] of steps.entries()) {
    const [before, after] = [ratioOf(from), ratioOf(to)]
    if (before > 0 && after < before) continue
    const isFree = index === steps.length - 1 && before > 0
    if (isFree && (!isSde || after <= before * (1 + ROUNDING))) continue
    throw new RangeError(
      `${caller}: the path must fall in noise (step ${index} goes from sigma / alpha ${before} to ${after})`,
    )
  }
}

/** sigma / alpha: the noise level where the signal is brought to its own size. */
export function ratioOf({ alpha, sigma }: NoiseLevel): number {
  return sigma / alpha
}

/** log(alpha / sigma), half the log signal-to-noise ratio: Infinity where there is no noise. */
export function lambdaOf({ alpha, sigma }: NoiseLevel): number {
  return Math.log(alpha) - Math.log(sigma)
}
