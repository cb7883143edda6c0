import type { NoiseLevel } from './noise-level.js'

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

/** What a network of EDM is wrapped in. */
export interface EdmScales {
  readonly skip: number
  readonly out: number
  readonly in: number
  readonly noise: number
}

/**
 * The factors by which EDM keeps inputs and targets of a network at unit variance:
 *
 *   skip = s^2 / (sigma^2 + s^2)     out = sigma s / sqrt(sigma^2 + s^2)     in = 1 / sqrt(sigma^2 + s^2)     noise = log(sigma) / 4
 *
 * with s the deviation of the data: x0 = skip xt + out network(in xt, noise).
 *
 * Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", table 1.
 */
export function edmScales(sigma: number, sigmaData = 0.5): EdmScales {
  const total = sigma * sigma + sigmaData * sigmaData
  const root = Math.sqrt(total)
  return {
    skip: (sigmaData * sigmaData) / total,
    out: (sigma * sigmaData) / root,
    in: 1 / root,
    noise: 0.25 * Math.log(sigma),
  }
}

/** A level of EDM: alpha = 1, and its `in` and `noise` as what the network sees and is told (0 where sigma is 0). */
export function edmLevel(sigma: number, sigmaData = 0.5): NoiseLevel {
  const scales = edmScales(sigma, sigmaData)
  return { alpha: 1, sigma, timestep: sigma === 0 ? 0 : scales.noise, inputScale: scales.in }
}
