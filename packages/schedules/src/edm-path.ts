import type { NoiseLevel } from './noise-level.js'
import { type Path, pathThrough } from './path.js'
import { karrasSigmas } from './sigma-spacing.js'

/** Options of `edmPath`. */
export interface EdmPathOptions {
  readonly numSteps: number
  /** Last level before 0 (default 0.002). */
  readonly sigmaMin?: number
  /** First level (default 80); the only one for a single step. */
  readonly sigmaMax?: number
  /** How much more densely low levels are visited: 1 is equal steps (default 7). */
  readonly rho?: number
  /** The nearest level that the network knows; default: any. 0 must stay 0. */
  readonly nearest?: (sigma: number) => number
  /** What the network is told at a level (default: sigma itself, as `preconditioned` and functions of sigma expect). */
  readonly timestep?: (sigma: number) => number
}

/**
 * The path of EDM's samplers, x = x0 + sigma noise, through `karrasSigmas`, and then to 0.
 *
 * @throws RangeError as `karrasSigmas`
 *
 * @example
 * const path = edmPath({ numSteps: 18 })
 * heun(path, denoise, affine(startNoise([4, 3, 32, 32], { seed: 0 }), path.startScale))
 *
 * Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", algorithm 1.
 */
export function edmPath(options: EdmPathOptions): Path {
  const { numSteps, sigmaMin = 0.002, sigmaMax = 80, rho = 7, nearest = itself, timestep = itself } = options
  const atSigma = (wanted: number): NoiseLevel => {
    const sigma = wanted === 0 ? 0 : nearest(wanted)
    return { alpha: 1, sigma, timestep: timestep(sigma) }
  }
  const levels = [...karrasSigmas({ sigmaMin, sigmaMax }, numSteps, rho), 0].map(atSigma)
  return { ...pathThrough(levels, { startScale: levels[0].sigma }), atSigma }
}

function itself(sigma: number): number {
  return sigma
}
