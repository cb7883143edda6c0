import { diffusivity, type NoiseLevel } from '@dit/schedules'
import type { FlowPredictionType } from './flow-matching.js'

/**
 * How squared errors at different times are weighed:
 *
 *   none             as they are: of the velocity, x0 or noise; of sigma score for a score
 *   velocity         as the squared error of the velocity that they amount to
 *   likelihood       as that of the score, times sigma dSigma - (dAlpha / alpha) sigma^2: the bound on the likelihood
 *   inverseSigma2    1 / sigma^2                                           (diffusers' sigma_sqrt)
 *   cosmap           2 / (pi (1 - 2 sigma + 2 sigma^2))
 *
 * Song et al. 2021, "Maximum Likelihood Training of Score-Based Diffusion Models", theorem 1; Ma et al. 2024, "SiT", section 2;
 * Esser et al. 2024, section 3.1 (`cosmap`).
 */
export type FlowWeighting = 'none' | 'velocity' | 'likelihood' | 'inverseSigma2' | 'cosmap'

export const WEIGHTINGS: readonly FlowWeighting[] = ['none', 'velocity', 'likelihood', 'inverseSigma2', 'cosmap']

interface FlowWeightOptions {
  readonly prediction: FlowPredictionType
  readonly weighting: FlowWeighting
  readonly sigmaFloor?: number
}

/**
 * The factor of the squared error at a noise level. With D the diffusivity and d = dSigma alpha - dAlpha sigma:
 *
 *                   velocity          x0                       epsilon, score
 *   velocity        1                 (d / sigma)^2            (D / sigma)^2
 *   likelihood      D (alpha / (sigma d))^2    D (alpha / sigma^2)^2    D / sigma^2
 *
 * @returns infinite where the formula is
 * @throws RangeError at a level without derivatives
 */
export function flowWeight(level: NoiseLevel, { prediction, weighting, sigmaFloor = 0 }: FlowWeightOptions): number {
  const { alpha, sigma, dAlpha, dSigma } = level
  switch (weighting) {
    case 'none':
      return 1
    case 'inverseSigma2':
      return 1 / (sigma * sigma)
    case 'cosmap':
      return 2 / (Math.PI * (1 - 2 * sigma + 2 * sigma * sigma))
    default:
  }
  if (dAlpha === undefined || dSigma === undefined) {
    throw new RangeError('flowWeight: it needs dAlpha and dSigma of the level, which this path does not have')
  }
  const d = dSigma * alpha - dAlpha * sigma
  const least = Math.max(sigma, sigmaFloor)
  const D = diffusivity(level)
  if (weighting === 'velocity') {
    if (prediction === 'velocity') return 1
    return prediction === 'x0' ? (d / least) ** 2 : (D / sigma) ** 2
  }
  if (prediction === 'velocity') return D * (alpha / (sigma * d)) ** 2
  return prediction === 'x0' ? D * (alpha / (least * least)) ** 2 : D / (sigma * sigma)
}
