import type { Noised } from '@dit/diffusion'
import type { NoiseLevel, Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { combine } from './combine.js'
import { ratioOf } from './run-path.js'

/** Noise that is added before a step, to be removed by it again: it corrects errors made earlier. */
export interface ChurnOptions {
  /** Total amount (default 0); each of N steps raises sigma / alpha by the factor 1 + min(churn / N, sqrt(2) - 1). */
  readonly churn?: number
  /** Only where sigma / alpha lies in this range, ends included (default 0 .. Infinity). */
  readonly churnMin?: number
  readonly churnMax?: number
  /** Deviation of the noise that is added (default 1); a little above 1 makes up for detail that the network smooths away. */
  readonly churnNoise?: number
}

/** The most that a level is raised: to twice its variance. */
const MOST = Math.SQRT2 - 1

/**
 * Raises xt to a higher noise level, in s = sigma / alpha and x = xt / alpha:
 *
 *   sHat = s (1 + gamma)        xHat = x + churnNoise sqrt(sHat^2 - s^2) draw
 *
 * @param draw called only where there is churn
 * @returns what it was given where there is none
 *
 * Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", algorithm 2, lines 4 to 6.
 */
export function churned(path: Path, { xt, level }: Noised, draw: () => Tensor, options: ChurnOptions): Noised {
  const s = ratioOf(level)
  const gamma = churnOf(s, path.steps.length, options)
  if (gamma === 0) return { xt, level }
  const to = path.atSigma?.(s * (1 + gamma)) ?? raised(level, 1 + gamma)
  const added = (options.churnNoise ?? 1) * Math.sqrt(Math.max(0, ratioOf(to) ** 2 - s ** 2))
  return { xt: combine([to.alpha / level.alpha, xt], [to.alpha * added, draw()]), level: to }
}

/** The factor by which a step raises its level, less 1; 0 is none. */
export function churnOf(s: number, numSteps: number, options: ChurnOptions): number {
  const { churn = 0, churnMin = 0, churnMax = Infinity } = options
  return s >= churnMin && s <= churnMax ? Math.min(churn / numSteps, MOST) : 0
}

/** A level where alpha is 1 at a higher sigma; its input scale is that of 1 / sqrt(sigma^2 + s^2) with the same s, or none. */
function raised(level: NoiseLevel, factor: number): NoiseLevel {
  const sigma = level.sigma * factor
  if (level.inputScale === undefined) return { ...level, sigma }
  return { ...level, sigma, inputScale: 1 / Math.sqrt(1 / level.inputScale ** 2 - level.sigma ** 2 + sigma ** 2) }
}

/** Throws for churn that is no number, or for which a path has no levels. */
export function checkChurn(caller: string, options: ChurnOptions, path?: Path): void {
  const { churn = 0, churnMin = 0, churnMax = Infinity, churnNoise = 1 } = options
  for (const [name, value] of Object.entries({ churn, churnMin, churnMax, churnNoise })) {
    if (value >= 0 && (name === 'churnMax' || Number.isFinite(value))) continue
    throw new RangeError(`${caller}: ${name} must be a number, 0 or more (got ${value})`)
  }
  if (
    churn > 0 &&
    path !== undefined &&
    path.atSigma === undefined &&
    path.steps.some(({ from }) => from.alpha !== 1)
  ) {
    throw new RangeError(
      `${caller}: churn is for paths whose alpha is 1, or which know the levels between their steps (atSigma)`,
    )
  }
}
