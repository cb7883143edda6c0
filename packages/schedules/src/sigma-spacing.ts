import { mustBePositive } from './preconditioning.js'

/** The range that noise levels are spread over. */
export interface SigmaRange {
  readonly sigmaMin: number
  readonly sigmaMax: number
}

/**
 * Noise levels evenly apart in sigma^(1 / rho), noisiest first.
 *
 *   sigma_i = (sigmaMax^(1/rho) + i / (N - 1) (sigmaMin^(1/rho) - sigmaMax^(1/rho)))^rho
 *
 * @returns `[numSteps]`, float64
 * @throws RangeError for sigmas that are not finite, or not above 0, or a rho that is not
 *
 * Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", eq. 5; their rho is 7.
 */
export function karrasSigmas({ sigmaMin, sigmaMax }: SigmaRange, numSteps: number, rho = 7): Float64Array {
  checkRange('karrasSigmas', { sigmaMin, sigmaMax }, numSteps)
  mustBePositive('karrasSigmas', { rho })
  const [low, high] = [sigmaMin ** (1 / rho), sigmaMax ** (1 / rho)]
  return shares(numSteps).map((share) => (share === 1 ? sigmaMin : (high + share * (low - high)) ** rho))
}

/**
 * Noise levels evenly apart in log sigma, noisiest first: the ends are `sigmaMax` and `sigmaMin`.
 *
 * @returns `[numSteps]`, float64
 * @throws RangeError for sigmas that are not finite, or not above 0
 */
export function exponentialSigmas({ sigmaMin, sigmaMax }: SigmaRange, numSteps: number): Float64Array {
  checkRange('exponentialSigmas', { sigmaMin, sigmaMax }, numSteps)
  const [low, high] = [Math.log(sigmaMin), Math.log(sigmaMax)]
  return shares(numSteps).map((share) => Math.exp(share === 1 ? low : high + share * (low - high)))
}

/** i / (count - 1); 0 for a count of 1. */
function shares(count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => (count === 1 ? 0 : i / (count - 1)))
}

/** Throws unless the range is one that sigmas can be spread over. */
export function checkRange(caller: string, { sigmaMin, sigmaMax }: SigmaRange, numSteps: number): void {
  if (!Number.isSafeInteger(numSteps) || numSteps < 1) {
    throw new RangeError(`${caller}: numSteps must be a positive integer (got ${numSteps})`)
  }
  if (sigmaMin > 0 && sigmaMax < Infinity && sigmaMin <= sigmaMax) return
  throw new RangeError(
    `${caller}: sigmas must be finite and above 0, sigmaMin not above sigmaMax (got ${sigmaMin} to ${sigmaMax})`,
  )
}
