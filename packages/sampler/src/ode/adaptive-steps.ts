import type { Path } from '@dit/schedules'
import { abs, add, affine, dispose, div, maximum, mean, scope, sqrt, square, sub, type Tensor } from '@dit/tensor'
import { otherTasks } from '../other-tasks.js'
import { dense, DORMAND_PRINCE, MIDDLE, nextStepSize, ORDER } from './dormand-prince-5.js'
import { advance, handle, type OdeStep, type Slope, type State, timedSteps } from './slope.js'

export interface AdaptiveOptions {
  /** Relative tolerance of the error of one step, 0.001 by default. */
  readonly rtol?: number
  /** Absolute tolerance, 0.000001 by default. */
  readonly atol?: number
  /** Tries, rejected ones included, after which the solver gives up; 1000 by default. */
  readonly maxSteps?: number
  /**
   * Whether the last step may pass the end of the path, which is then read off its interpolant, as in torchdiffeq. By default it is
   * shortened: the interpolant of one long step is much less accurate than its end, and no network is trained beyond t = 0.
   */
  readonly mayPassEnd?: boolean
  readonly signal?: AbortSignal
}

/** A step that was taken: what its interpolant is made of. */
interface Segment {
  readonly y0: State
  readonly middle: State
  readonly y1: State
  readonly f0: State
  readonly f1: State
  readonly t0: number
  readonly dt: number
}

type Front = { readonly y: State; readonly f: State; readonly x0: Tensor; readonly t: number; readonly size: number }

/**
 * Integrates along a path with steps of its own choice, and yields the states at the path's levels.
 *
 * @throws RangeError where `maxSteps` do not suffice, or the state is no longer finite
 */
export async function* adaptiveSteps(
  caller: string,
  path: Path,
  slope: Slope,
  start: State,
  options: AdaptiveOptions,
): AsyncGenerator<OdeStep, void, void> {
  const { maxSteps = 1000, mayPassEnd = false, signal } = options
  const steps = timedSteps(caller, path, true)
  const end = steps.at(-1)!.to.t
  const direction = Math.sign(end - steps[0].from.t)
  if (!steps.every(({ from, to }) => Math.sign(to.t - from.t) === direction) || direction === 0) {
    throw new RangeError(`${caller}: the times of the path must rise or fall throughout`)
  }
  const isBehind = (t: number, goal: number) => direction * (goal - t) > 0
  const pause = async () => {
    await otherTasks()
    signal?.throwIfAborted()
  }
  let front: Front | null = null
  let segment: Segment | null = null
  let held: OdeStep | null = null
  let tries = 0
  try {
    await pause()
    front = await firstFront(path, slope, start, [steps[0].from.t, end], options)
    for (const [index, { to }] of steps.entries()) {
      await pause()
      while (isBehind(front.t, to.t)) {
        if (tries++ >= maxSteps) {
          throw new RangeError(
            `${caller}: ${maxSteps} steps were not enough (it came to t = ${front.t}); loosen rtol and atol or raise maxSteps`,
          )
        }
        if (tries > 1) await pause()
        const left: number = direction * (end - front.t)
        const dt: number = direction * (mayPassEnd ? front.size : Math.min(front.size, left))
        const isLast: boolean = !mayPassEnd && front.size >= left
        const tried = scope(() => tryStep(path, slope, front!, dt, options))
        const error = await largestOf(caller, tried.errors, front.t, tried)
        const size = nextStepSize(Math.abs(dt), error)
        if (error > 1) {
          dispose(tried)
          front = { ...front, size }
          continue
        }
        dispose([tried.errors, front.x0, segment === null ? [] : [segment.y0, segment.middle, segment.f0]])
        const { y1, f1, middle, x0 }: typeof tried = tried
        segment = { y0: front.y, f0: front.f, middle, y1, f1, t0: front.t, dt }
        front = { y: y1, f: f1, x0, t: isLast ? end : front.t + dt, size }
      }
      const { x0 }: Front = front
      const reached: Segment = segment!
      const result: OdeStep = scope(() => ({ state: interpolate(reached, to.t), x0: handle(x0) }))
      dispose(held)
      held = index < steps.length - 1 ? result : null
      yield result
    }
  } finally {
    dispose([held, front, segment])
  }
}

/** The slope at the start, and a first step size from how fast it changes. Hairer, Norsett and Wanner 1993, section II.4. */
async function firstFront(
  path: Path,
  slope: Slope,
  start: State,
  [t, end]: readonly [number, number],
  { rtol = 1e-3, atol = 1e-6, mayPassEnd = false }: AdaptiveOptions,
): Promise<Front> {
  const first = scope(() => {
    const { slopes: f, x0 } = slope(start, path.at!(t))
    const y = start.map(handle)
    const scale = y.map((part) => affine(abs(part), rtol, atol))
    return { y, f, x0, scale, size: norms(y, scale), speed: norms(f, scale) }
  })
  const { y, f, x0, scale } = first
  try {
    const d0 = Math.max(...(await numbers(first.size)))
    const d1 = Math.max(...(await numbers(first.speed)))
    const wanted = d0 < 1e-5 || d1 < 1e-5 ? 1e-6 : (0.01 * d0) / d1
    const h0 = mayPassEnd ? wanted : Math.min(wanted, Math.abs(end - t))
    const change = scope(() => {
      const h = Math.sign(end - t) * h0
      const ahead = slope(advance(y, [f], [1], h), path.at!(t + h)).slopes
      return norms(
        ahead.map((part, i) => sub(part, f[i])),
        scale,
      )
    })
    const d2 = Math.max(...(await numbers(change))) / h0
    dispose(change)
    const h1 = d1 <= 1e-15 && d2 <= 1e-15 ? Math.max(1e-6, h0 * 1e-3) : (0.01 / Math.max(d1, d2)) ** (1 / ORDER)
    dispose([scale, first.size, first.speed])
    return { y, f, x0, t, size: Math.min(100 * h0, h1) }
  } catch (error) {
    dispose(first)
    throw error
  }
}

/** One step with its error in units of the tolerance, a number for each part of the state. */
function tryStep(
  path: Path,
  slope: Slope,
  { y, f, t }: Front,
  dt: number,
  { rtol = 1e-3, atol = 1e-6 }: AdaptiveOptions,
) {
  const { nodes, stages, weights, errorWeights } = DORMAND_PRINCE
  const slopes = [f]
  let y1: State = y
  let x0!: Tensor
  for (let i = 1; i < nodes.length; i++) {
    // The last stage lies at the result itself.
    y1 = advance(y, slopes, i === nodes.length - 1 ? weights : stages[i], dt)
    const found = slope(y1, path.at!(t + nodes[i] * dt))
    slopes.push(found.slopes)
    x0 = found.x0
  }
  const zero = y.map((part) => affine(part, 0))
  const error = advance(zero, slopes, errorWeights, dt)
  const tolerance = y.map((part, i) => affine(maximum(abs(part), abs(y1[i])), rtol, atol))
  return { y1, f1: slopes.at(-1)!, x0, middle: advance(y, slopes, MIDDLE, dt), errors: norms(error, tolerance) }
}

/** The state at a time within a step. */
function interpolate({ y0, middle, y1, f0, f1, t0, dt }: Segment, t: number): State {
  const share = dense((t - t0) / dt)
  return y0.map((_, i) => {
    const terms: readonly (readonly [Tensor, number])[] = [
      [y0[i], share.y0],
      [middle[i], share.middle],
      [y1[i], share.y1],
      [f0[i], share.f0 * dt],
      [f1[i], share.f1 * dt],
    ]
    return scope(() => terms.map(([x, weight]) => affine(x, weight)).reduce((a, b) => add(a, b)))
  })
}

/** Root mean squares of x / scale over the whole batch. */
function norms(x: State, scale: State): readonly Tensor[] {
  return x.map((part, i) => scope(() => sqrt(mean(square(div(part, scale[i]))))))
}

async function numbers(scalars: readonly Tensor[]): Promise<number[]> {
  const values: number[] = []
  for (const scalar of scalars) values.push((await scalar.data())[0])
  return values
}

async function largestOf(caller: string, errors: readonly Tensor[], t: number, held: unknown): Promise<number> {
  try {
    const largest = Math.max(...(await numbers(errors)))
    if (Number.isFinite(largest)) return largest
    throw new RangeError(
      `${caller}: the state is no longer finite after t = ${t}; the network or the path has no finite velocity there`,
    )
  } catch (error) {
    dispose(held)
    throw error
  }
}
