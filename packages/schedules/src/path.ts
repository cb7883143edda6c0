import type { NoiseLevel } from './noise-level.js'

/** A step that a solver takes, from a noisier level to a cleaner one (or back, where a path is run in reverse). */
export interface PathStep {
  readonly from: NoiseLevel
  readonly to: NoiseLevel
}

/** The noise levels that a solver goes through: all that it knows of a process. */
export interface Path {
  /** In order: each begins where the one before ends. */
  readonly steps: readonly PathStep[]
  /** By which standard normal noise is multiplied to begin at the first level of the whole path: its sigma, or 1. */
  readonly startScale: number
  /** The level at any time between, for solvers that evaluate within a step; t in [0, 1]. */
  at?(t: number): NoiseLevel
  /** The level at which sigma / alpha is this, for solvers that add noise before a step. */
  atSigma?(sigma: number): NoiseLevel
}

/**
 * The path through some levels, noisiest first.
 *
 * @throws RangeError for fewer than two levels, or a level whose factors are not finite
 *
 * @example
 * pathThrough([levelAtSnr(tables, 0.01), levelAtSnr(tables, 1), { alpha: 1, sigma: 0, timestep: 0 }])
 */
export function pathThrough(
  levels: readonly NoiseLevel[],
  { startScale = 1, at }: { readonly startScale?: number; readonly at?: (t: number) => NoiseLevel } = {},
): Path {
  if (levels.length < 2) throw new RangeError(`pathThrough: a path needs two levels (got ${levels.length})`)
  for (const [i, { alpha, sigma }] of levels.entries()) {
    if (Number.isFinite(alpha) && Number.isFinite(sigma) && alpha >= 0 && sigma >= 0) continue
    throw new RangeError(
      `pathThrough: alpha and sigma must be finite, 0 or more (level ${i} has ${alpha} and ${sigma})`,
    )
  }
  const steps = levels.slice(1).map((to, i) => ({ from: levels[i], to }))
  return { steps, startScale, ...(at === undefined ? {} : { at }) }
}

/**
 * A part of a path: from step `first` up to step `last` - 1. A sampler that starts in the middle of a path begins with a noised
 * picture, and one that ends there leaves a noisy one.
 *
 * @throws RangeError unless 0 <= first < last <= number of steps
 */
export function partOfPath(path: Path, first: number, last = path.steps.length): Path {
  const isRange = Number.isInteger(first) && Number.isInteger(last) && first >= 0 && first < last
  if (!isRange || last > path.steps.length) {
    throw new RangeError(`partOfPath: steps must lie in 0..${path.steps.length} (got ${first} to ${last})`)
  }
  return { ...path, steps: path.steps.slice(first, last) }
}

/**
 * A path from data to noise, through the levels of one from noise to data.
 *
 * Levels with a time are run backwards as they are. Others are taken as networks of timesteps know them, which is how the reference's
 * reverse DDIM takes them: the level without noise is left out, the data stand for a sample at the level before, and pure noise
 * follows the first.
 *
 *   path             n[0] -> n[1] -> ... -> n[N - 1] -> data
 *   with times       data -> n[N - 1] -> ... -> n[1] -> n[0]
 *   without          n[N - 1] -> ... -> n[1] -> n[0] -> noise        alpha = 0, sigma = startScale
 *
 * @returns as many steps; its startScale is 1. For solvers that draw no noise, such as `ddim` with eta 0
 *
 * @example
 * const noise = await lastStep(ddim(reversedPath(path), denoise, x0))
 */
export function reversedPath(path: Path): Path {
  const { steps, startScale } = path
  const isTimed = steps.every(({ from, to }) => from.t !== undefined && to.t !== undefined)
  const backwards = isTimed
    ? steps.map(({ from, to }): PathStep => ({ from: to, to: from })).toReversed()
    : steps
        .map(({ from }, i): PathStep => {
          return { from, to: i > 0 ? steps[i - 1].from : { alpha: 0, sigma: startScale, timestep: from.timestep } }
        })
        .toReversed()
  return { ...path, steps: backwards, startScale: 1 }
}
