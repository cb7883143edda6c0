import type { DiffusionTables } from './diffusion-tables.js'
import { logSnr } from './snr.js'

/** How noisy a sample is: xt = alpha x0 + sigma noise. */
export interface NoiseLevel {
  readonly alpha: number
  readonly sigma: number
  /** What the network is told, in its own convention; may be fractional. */
  readonly timestep: number
  /** Time on a path of continuous time, 0 to 1. */
  readonly t?: number
  /** Derivatives of alpha and sigma by that time: what a velocity is made of. */
  readonly dAlpha?: number
  readonly dSigma?: number
  /** By which xt is multiplied before the network sees it (default 1): on paths whose variance grows with sigma. */
  readonly inputScale?: number
  /**
   * By which a network's velocity is multiplied to be the derivative by `t` (default 1): -1 for networks whose own time runs from
   * noise to data.
   */
  readonly velocityScale?: number
  /**
   * sigma dSigma - (dAlpha / alpha) sigma^2: by how much the score enters the velocity, and half the squared rate of noise of the
   * process's own SDE. A path gives it where the formula would be infinity times zero.
   */
  readonly diffusivity?: number
}

/** Options of `levelAtSnr`. */
export interface LevelAtSnrOptions {
  /** `[T]`: what the network is told at timestep i (default i). */
  readonly timestepMap?: ArrayLike<number>
  /** Take the nearest timestep, with its own signal-to-noise ratio: for networks that know whole timesteps only. */
  readonly isWhole?: boolean
}

/**
 * The level of a Gaussian process at a signal-to-noise ratio.
 *
 *   alpha = sqrt(snr / (1 + snr))        sigma = sqrt(1 / (1 + snr))
 *
 * The timestep lies between two of the process: linearly in log(snr), which is nearly linear in the timestep there.
 *
 * @param snr alpha^2 / sigma^2, above 0
 * @throws RangeError where the process has no such ratio between its first timestep and its last
 *
 * @example
 * levelAtSnr(gaussianDiffusion().tables, 1) // alpha = sigma = 0.707, about timestep 258
 */
export function levelAtSnr(
  tables: Pick<DiffusionTables, 'alphaBar'>,
  snr: number,
  { timestepMap, isWhole = false }: LevelAtSnrOptions = {},
): NoiseLevel {
  const ratios = logSnr(tables)
  const wanted = Math.log(snr)
  const last = ratios.length - 1
  if (!(wanted <= ratios[0] && wanted >= ratios[last])) {
    throw new RangeError(
      `levelAtSnr: the process has signal-to-noise ratios from ${short(Math.exp(ratios[last]))} to ${short(Math.exp(ratios[0]))} (got ${snr})`,
    )
  }
  const after = Math.max(
    1,
    ratios.findIndex((ratio) => ratio <= wanted),
  )
  const before = after - 1
  const share = last === 0 ? 0 : (ratios[before] - wanted) / (ratios[before] - ratios[after])
  const told = (timestep: number) => timestepMap?.[timestep] ?? timestep
  if (isWhole || last === 0) {
    const nearest = last === 0 || share < 0.5 ? before : after
    const alphaBar = tables.alphaBar[nearest]
    return { alpha: Math.sqrt(alphaBar), sigma: Math.sqrt(1 - alphaBar), timestep: told(nearest) }
  }
  const timestep = told(before) + share * (told(after) - told(before))
  return { alpha: Math.sqrt(snr / (1 + snr)), sigma: Math.sqrt(1 / (1 + snr)), timestep }
}

function short(value: number): string {
  return value.toPrecision(3)
}
