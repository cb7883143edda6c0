import { type Denoise, scoreOf, velocityOf } from '@dit/diffusion'
import { type DiffusionCoefficient, diffusionCoefficient, type Path, type PathStep } from '@dit/schedules'
import { add, affine, dispose, scope, sub, type Tensor } from '@dit/tensor'
import type { StepResult } from '../step-options.js'
import { type NoiseSource, stepNoise } from '../noise.js'
import { handle, type TimedLevel, timedSteps } from '../ode/slope.js'
import { otherTasks } from '../other-tasks.js'
import type { SamplerStep } from '../sampler-step.js'

/**
 * How an SDE ends, from the last level of its path, without noise:
 *
 *   none      there
 *   mean      a step of the SDE without its noise
 *   euler     a step of the ODE
 *   tweedie   the estimate of x0
 */
export type SdeLastStep = 'none' | 'mean' | 'euler' | 'tweedie'

export interface SdeOptions extends DiffusionCoefficient {
  /** Default `mean`, but `none` on a path that ends at t = 0. */
  readonly lastStep?: SdeLastStep
  /** Size of a `mean` or `euler` last step; by default it leads to t = 0. */
  readonly lastStepSize?: number
  /** Stops the loop between two steps: it frees what it holds and throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** What a solver needs to make one noisy step. */
export interface SdeStep {
  readonly from: TimedLevel
  readonly to: TimedLevel
  /** By which t falls. */
  readonly h: number
  /** sqrt(2 w h): by which the draws are multiplied. */
  readonly spread: number
  readonly draws: Tensor
  /** Change of xt by falling t, and the estimate of x0 behind it. */
  readonly drift: (xt: Tensor, level: TimedLevel) => { readonly drift: Tensor; readonly x0: Tensor }
}

/**
 * The loop of both solvers: noisy steps along the path, then the last one.
 *
 * @param looksAhead whether a step evaluates the network at its end, too
 */
export function runSde(
  caller: string,
  path: Path,
  denoise: Denoise,
  options: SdeOptions & NoiseSource,
  looksAhead: boolean,
  takeStep: (xt: Tensor, step: SdeStep) => StepResult,
): (start: Tensor) => AsyncGenerator<SamplerStep, void, void> {
  const steps = timedSteps(caller, path, false)
  const last = lastOf(caller, steps.at(-1)!.to, options)
  for (const { from, to } of steps) {
    if (!(to.t < from.t))
      throw new RangeError(`${caller}: the path must run from noise to data (got ${from.t} to ${to.t})`)
    checkFinite(caller, from, options)
    if (looksAhead) checkFinite(caller, to, options)
  }
  if (last !== null && last.kind === 'mean') checkFinite(caller, last.from, options)
  const draw = stepNoise(caller, options, true)!
  const drift = (xt: Tensor, level: TimedLevel, step?: PathStep) => {
    const parts = denoise(xt, level, step)
    const w = diffusionCoefficient(level, options)
    const velocity = velocityOf(parts, xt, level)
    if (w === 0) return { drift: affine(velocity, -1), x0: handle(parts.x0) }
    return { drift: sub(affine(scoreOf(parts, level), w), velocity), x0: handle(parts.x0) }
  }
  const numSteps = steps.length + (last === null ? 0 : 1)

  return async function* run(start) {
    let held: StepResult | null = null
    try {
      for (let index = 0; index < numSteps; index++) {
        await otherTasks()
        options.signal?.throwIfAborted()
        const xt: Tensor = held?.xt ?? start
        const isLast = index === steps.length
        const result: StepResult = scope(() => {
          if (isLast) return takeLast(xt, last!, denoise, drift)
          const { from, to } = steps[index]
          const draws = draw(index, xt.shape, xt.backend)
          const h = from.t - to.t
          const spread = Math.sqrt(2 * diffusionCoefficient(from, options) * h)
          return takeStep(xt, { from, to, h, spread, draws, drift: (x, level) => drift(x, level, steps[index]) })
        })
        dispose(held)
        held = index < numSteps - 1 ? result : null
        const { timestep } = isLast ? last!.from : steps[index].from
        yield { index, numSteps, timestep, ...result }
      }
    } finally {
      dispose(held)
    }
  }
}

interface Last {
  readonly kind: Exclude<SdeLastStep, 'none'>
  readonly from: TimedLevel
  readonly size: number
}

function lastOf(caller: string, from: TimedLevel, { lastStep, lastStepSize }: SdeOptions): Last | null {
  const kind = lastStep ?? (from.t === 0 ? 'none' : 'mean')
  if (!['none', 'mean', 'euler', 'tweedie'].includes(kind)) {
    throw new RangeError(`${caller}: lastStep must be none, mean, euler or tweedie (got ${String(lastStep)})`)
  }
  const size = lastStepSize ?? from.t
  if (!(size >= 0 && size <= 1)) throw new RangeError(`${caller}: lastStepSize must be in [0, 1] (got ${size})`)
  return kind === 'none' ? null : { kind, from, size }
}

function takeLast(xt: Tensor, { kind, from, size }: Last, denoise: Denoise, drift: SdeStep['drift']): StepResult {
  if (kind === 'mean') {
    const found = drift(xt, from)
    return { xt: add(xt, affine(found.drift, size)), x0: found.x0 }
  }
  const parts = denoise(xt, from)
  const x0 = handle(parts.x0)
  if (kind === 'tweedie') return { xt: affine(parts.x0, 1), x0 }
  return { xt: sub(xt, affine(velocityOf(parts, xt, from), size)), x0 }
}

function checkFinite(caller: string, level: TimedLevel, options: DiffusionCoefficient): void {
  const w = diffusionCoefficient(level, options)
  if (Number.isFinite(w)) return
  const { form = 'sbdm' } = options
  throw new RangeError(
    `${caller}: diffusion form ${form} is infinite at t = ${level.t}; start the path a little below 1, as flowInterval with isOwnReversal does, or take another form`,
  )
}
