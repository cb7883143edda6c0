import type { NoiseLevel } from './noise-level.js'
import { edmPreconditioning } from './preconditioning.js'

/**
 * A level of a process that keeps the variance, from ratio = sigma / alpha.
 *
 *   alpha = 1 / sqrt(1 + ratio^2)        sigma = ratio alpha
 */
export function preservingLevel(ratio: number, timestep: number): NoiseLevel {
  const alpha = ratio === Infinity ? 0 : 1 / Math.sqrt(1 + ratio * ratio)
  return { alpha, sigma: ratio === Infinity ? 1 : ratio * alpha, timestep }
}

/**
 * The same level where xt is kept as x0 + sigma noise, and divided by sqrt(1 + sigma^2) only for the network.
 *
 * Song et al. 2021, "Score-Based Generative Modeling through SDEs" (variance exploding); k-diffusion's view of a process.
 */
export function explodingLevel(sigma: number, timestep: number): NoiseLevel {
  return { alpha: 1, sigma, timestep, inputScale: 1 / Math.sqrt(sigma * sigma + 1) }
}

/** A level of the straight path from data to noise: alpha = 1 - sigma, whose time is sigma itself. */
export function straightLevel(sigma: number, timestep: number): NoiseLevel {
  return { alpha: 1 - sigma, sigma, timestep, t: sigma, dAlpha: -1, dSigma: 1 }
}

/** A level of EDM: alpha = 1, and its `in` and `noise` as what the network sees and is told (0 where sigma is 0). */
export function edmLevel(sigma: number, sigmaData = 0.5): NoiseLevel {
  const scales = edmPreconditioning(sigmaData)(sigma)
  return { alpha: 1, sigma, timestep: sigma === 0 ? 0 : scales.noise, inputScale: scales.in }
}
