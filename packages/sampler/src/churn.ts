import type { Denoise, Denoised } from '@dit/diffusion'
import type { NoiseLevel } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { combine } from './combine.js'

/** Noise that is added before a step, to be removed by it again: it corrects errors made earlier. */
export interface ChurnOptions {
  /** Total amount; each of N steps raises sigma by the factor 1 + min(churn / N, sqrt(2) - 1). */
  readonly churn: number
  /** Only where sigma lies in this range (default 0 .. Infinity). */
  readonly churnMin?: number
  readonly churnMax?: number
  /** Deviation of the noise that is added (default 1). */
  readonly churnNoise?: number
  /**
   * What the network is asked about: `raised` (default), as in the paper; `before`, xt as it was before the noise was added, as in
   * diffusers.
   */
  readonly networkSees?: 'raised' | 'before'
  /** The level at which its answer is read, where it saw xt `before`: `raised` (default), or `before` as well. */
  readonly readAt?: 'raised' | 'before'
}

/** xt after churn, its level, and the estimates there. */
export interface Churned {
  readonly xt: Tensor
  readonly level: NoiseLevel
  readonly estimate: Denoised
}

/** The factor by which a step raises sigma, less 1; 0 is none. */
export function churnOf({ sigma }: NoiseLevel, numSteps: number, options: Partial<ChurnOptions>): number {
  const { churn = 0, churnMin = 0, churnMax = Infinity } = options
  return sigma >= churnMin && sigma <= churnMax ? Math.min(churn / numSteps, Math.SQRT2 - 1) : 0
}

/**
 * Raises xt to a higher noise level, and asks the network there.
 *
 *   sigmaHat = sigma (1 + gamma)        xHat = xt + churnNoise sqrt(sigmaHat^2 - sigma^2) draw
 *
 * @param gamma above 0, from `churnOf`
 *
 * Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", algorithm 2, lines 4 to 6.
 */
export function churned(
  denoise: Denoise,
  xt: Tensor,
  level: NoiseLevel,
  gamma: number,
  draw: Tensor,
  { churnNoise = 1, networkSees = 'raised', readAt = 'raised' }: Partial<ChurnOptions>,
): Churned {
  const sigma = level.sigma * (1 + gamma)
  const added = churnNoise * Math.sqrt(sigma ** 2 - level.sigma ** 2)
  const raised = combine([1, xt], [added, draw])
  const to: NoiseLevel = { ...level, sigma, inputScale: scaleAt(level, sigma) }
  if (networkSees === 'raised') return { xt: raised, level: to, estimate: denoise(raised, to) }
  const estimate = denoise(raised, readAt === 'raised' ? to : level, undefined, { xt, level })
  return { xt: raised, level: to, estimate }
}

/** The input scale at another sigma: that of 1 / sqrt(sigma^2 + s^2) with the same s, or none where there was none. */
function scaleAt({ inputScale, sigma }: NoiseLevel, raised: number): number | undefined {
  if (inputScale === undefined) return undefined
  return 1 / Math.sqrt(1 / inputScale ** 2 - sigma ** 2 + raised ** 2)
}
