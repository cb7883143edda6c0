import type { NoiseLevel } from './noise-level.js'
import { type Path, pathThrough } from './path.js'
import { mustBePositive } from './preconditioning.js'

/** Options of `edmSigmas`. */
export interface EdmSigmasOptions {
  readonly numSteps: number
  /** Last level before 0 (default 0.002). */
  readonly sigmaMin?: number
  /** First level (default 80). */
  readonly sigmaMax?: number
  /** How much more densely low levels are visited: 1 is equal steps (default 7). */
  readonly rho?: number
}

/**
 * EDM's noise levels: equal steps of sigma^(1 / rho), and then 0.
 *
 *   sigma[i] = (sigmaMax^(1 / rho) + i / (numSteps - 1) (sigmaMin^(1 / rho) - sigmaMax^(1 / rho)))^rho
 *
 * @returns `[numSteps + 1]`, float64, falling to 0; with a single step sigmaMax and 0
 * @throws RangeError unless numSteps is a positive integer, rho is positive and 0 < sigmaMin < sigmaMax
 *
 * Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", eq. 5.
 */
export function edmSigmas({ numSteps, sigmaMin = 0.002, sigmaMax = 80, rho = 7 }: EdmSigmasOptions): Float64Array {
  if (!Number.isInteger(numSteps) || numSteps < 1) {
    throw new RangeError(`edmSigmas: numSteps must be a positive integer (got ${numSteps})`)
  }
  mustBePositive('edmSigmas', { sigmaMin, sigmaMax, rho })
  if (sigmaMin >= sigmaMax) {
    throw new RangeError(`edmSigmas: sigmaMin must be below sigmaMax (got ${sigmaMin} and ${sigmaMax})`)
  }
  const [first, last] = [sigmaMax ** (1 / rho), sigmaMin ** (1 / rho)]
  const sigmas = new Float64Array(numSteps + 1)
  for (let i = 0; i < numSteps; i++) {
    sigmas[i] = (first + (numSteps === 1 ? 0 : i / (numSteps - 1)) * (last - first)) ** rho
  }
  return sigmas
}

/** Options of `edmPath`. */
export interface EdmPathOptions extends EdmSigmasOptions {
  /** The nearest level that the network knows; default: any. 0 must stay 0. */
  readonly nearest?: (sigma: number) => number
  /** What the network is told at a level (default: sigma itself, as `preconditioned` and functions of sigma expect). */
  readonly timestep?: (sigma: number) => number
}

/**
 * The path of EDM's samplers, x = x0 + sigma noise, through `edmSigmas`.
 *
 * @example
 * edmHeun(edmPath({ numSteps: 18 }), denoise, startNoise([4, 3, 32, 32], { seed: 0 }))
 *
 * Karras et al. 2022, algorithm 1.
 */
export function edmPath({ nearest = itself, timestep = itself, ...options }: EdmPathOptions): Path {
  const atSigma = (wanted: number): NoiseLevel => {
    const sigma = wanted === 0 ? 0 : nearest(wanted)
    return { alpha: 1, sigma, timestep: timestep(sigma) }
  }
  const levels = Array.from(edmSigmas(options), atSigma)
  return { ...pathThrough(levels, { startScale: levels[0].sigma }), atSigma }
}

function itself(sigma: number): number {
  return sigma
}
