import type { Denoise } from '@dit/diffusion'
import type { NoiseLevel, Path, PathStep } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import type { Timesteps } from './guided.js'

/** A range, both ends included. */
export type GuidanceRange = readonly [first: number, last: number]

/**
 * Where guidance applies: at noise levels sigma / alpha, timesteps or times t in a range, at the steps of a path by number from
 * its noisy end, or wherever a function says.
 */
export type GuidanceInterval =
  | { readonly sigmas: GuidanceRange }
  | { readonly timesteps: GuidanceRange }
  | { readonly times: GuidanceRange }
  | { readonly steps: GuidanceRange; readonly path: Path }
  | ((level: NoiseLevel) => boolean)

export interface GuidanceIntervalOptions {
  /**
   * Whether solvers that evaluate more than once within a step keep the decision of its beginning (`step`, default), or
   * decide for each level (`evaluation`).
   */
  readonly decide?: 'step' | 'evaluation'
}

/**
 * Guidance in a part of the path only: at the noisiest levels it takes variety away, at the cleanest it does nothing.
 *
 * @param guided used within the interval
 * @param plain used elsewhere: as a rule the conditional model
 * @throws TypeError for what is no interval; RangeError for a range that is none, or steps that are no integers; when called, for times where the path has none, or a step that is not of `path`
 *
 * @example
 * const denoise = guidanceInterval(denoiser(guided(model, options), reading), denoiser(conditional, reading), { sigmas: [0.28, 2.9] })
 *
 * Kynkäänniemi et al. 2024, "Applying Guidance in a Limited Interval Improves Sample and Distribution Quality in Diffusion
 * Models", eq. 5, where the lower end is excluded.
 */
export function guidanceInterval(
  guided: Denoise,
  plain: Denoise,
  within: GuidanceInterval,
  { decide = 'step' }: GuidanceIntervalOptions = {},
): Denoise {
  const isGuided = decision(within)
  if (decide !== 'step' && decide !== 'evaluation') {
    throw new RangeError(`guidanceInterval: decide must be step or evaluation (got ${String(decide)})`)
  }
  return (xt, level, step, seen) => {
    const place = decide === 'step' ? (step?.from ?? level) : level
    return (isGuided(place, step) ? guided : plain)(xt, level, step, seen)
  }
}

/**
 * The same around a predict function, for samplers of a Gaussian process: guidance at timesteps in a range.
 *
 * @param timesteps what the network is told, both ends included
 */
export function guidanceTimesteps<T extends Timesteps>(
  guided: (xt: Tensor, timesteps: T) => Tensor,
  plain: (xt: Tensor, timesteps: T) => Tensor,
  timesteps: GuidanceRange,
): (xt: Tensor, timesteps: T) => Tensor {
  checkRange('guidanceTimesteps', 'timesteps', timesteps)
  return (xt, told) => {
    const inside = Array.from(told as ArrayLike<number>, (timestep) => isIn(timestep, timesteps))
    if (inside.includes(true) && inside.includes(false)) {
      throw new RangeError('guidanceTimesteps: the samples of a batch must have the same timestep')
    }
    return (inside[0] ? guided : plain)(xt, told)
  }
}

const KINDS = ['sigmas', 'timesteps', 'times', 'steps']

function decision(within: GuidanceInterval): (level: NoiseLevel, step?: PathStep) => boolean {
  if (typeof within === 'function') return within
  if (typeof within !== 'object' || within === null || !KINDS.some((kind) => kind in within)) {
    throw new TypeError(
      `guidanceInterval: the interval must be sigmas, timesteps, times, steps of a path, or a function (got ${JSON.stringify(within)})`,
    )
  }
  if ('sigmas' in within) return inRange('sigmas', within.sigmas, ({ alpha, sigma }) => sigma / alpha)
  if ('timesteps' in within) return inRange('timesteps', within.timesteps, ({ timestep }) => timestep)
  if ('times' in within) {
    return inRange('times', within.times, ({ t }) => {
      if (t === undefined) throw new RangeError('guidanceInterval: the levels of this path have no times; use sigmas')
      return t
    })
  }
  const { steps, path } = within
  if (path === undefined) {
    throw new TypeError('guidanceInterval: steps are those of a path, which must be given as well')
  }
  checkRange('guidanceInterval', 'steps', steps)
  if (!steps.every(Number.isInteger)) {
    throw new RangeError(`guidanceInterval: steps must be integers (got [${steps.join(', ')}])`)
  }
  return (level, step) => {
    const index = step === undefined ? path.steps.findIndex(({ from }) => from === level) : path.steps.indexOf(step)
    if (index < 0) throw new RangeError('guidanceInterval: this step is not of the path whose steps are numbered')
    return isIn(index, steps)
  }
}

function inRange(
  name: string,
  range: GuidanceRange,
  valueOf: (level: NoiseLevel) => number,
): (level: NoiseLevel) => boolean {
  checkRange('guidanceInterval', name, range)
  return (level) => isIn(valueOf(level), range)
}

function isIn(value: number, [first, last]: GuidanceRange): boolean {
  return value >= first && value <= last
}

function checkRange(caller: string, name: string, range: GuidanceRange): void {
  if (range.length === 2 && range[0] <= range[1]) return
  throw new RangeError(`${caller}: ${name} must be [first, last] with first <= last (got [${range.join(', ')}])`)
}
