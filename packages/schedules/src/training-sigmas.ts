import { logNormalSigma } from './flow/time-laws.js'
import { mustBePositive, type VpOptions, vpTToSigma } from './preconditioning.js'

/** Noise levels of EDM's training: log-normal. */
export interface EdmSigmaOptions {
  /** Mean of log(sigma) (default -1.2). */
  readonly mean?: number
  /** Standard deviation of log(sigma) (default 1.2). */
  readonly std?: number
}

/**
 * Noise levels for standard normal draws, as EDM is trained.
 *
 *   sigma = exp(mean + std normal)
 *
 * @param normals `[B]`
 * @returns `[B]`, float64
 *
 * Karras et al. 2022, table 1.
 */
export function edmTrainingSigmas(
  normals: ArrayLike<number>,
  { mean = -1.2, std = 1.2 }: EdmSigmaOptions = {},
): Float64Array {
  if (!Number.isFinite(mean)) throw new RangeError(`edmTrainingSigmas: mean must be a finite number (got ${mean})`)
  mustBePositive('edmTrainingSigmas', { std })
  return Float64Array.from(normals, (normal) => logNormalSigma(normal, mean, std))
}

/**
 * Noise levels for uniform draws, as variance-preserving networks are trained: time is uniform from 1 down to `tMin`.
 *
 *   t = 1 + u (tMin - 1)        sigma = vpTToSigma(t)
 *
 * @param uniforms `[B]`, in [0, 1)
 * @returns `[B]`, float64
 */
export function vpTrainingSigmas(
  uniforms: ArrayLike<number>,
  { tMin = 1e-5, ...vp }: VpOptions & { readonly tMin?: number } = {},
): Float64Array {
  mustBePositive('vpTrainingSigmas', { tMin, ...vp })
  return Float64Array.from(uniforms, (u) => vpTToSigma(1 + u * (tMin - 1), vp))
}

/**
 * Noise levels for uniform draws, as variance-exploding networks are trained: uniform in log(sigma).
 *
 *   sigma = sigmaMin (sigmaMax / sigmaMin)^u
 *
 * @param uniforms `[B]`, in [0, 1)
 * @returns `[B]`, float64
 */
export function veTrainingSigmas(
  uniforms: ArrayLike<number>,
  { sigmaMin = 0.02, sigmaMax = 100 }: { readonly sigmaMin?: number; readonly sigmaMax?: number } = {},
): Float64Array {
  mustBePositive('veTrainingSigmas', { sigmaMin, sigmaMax })
  return Float64Array.from(uniforms, (u) => sigmaMin * (sigmaMax / sigmaMin) ** u)
}

/**
 * EDM's weight of the squared error of x0, which makes the network's own loss 1 at first at every level. Variance-preserving
 * and -exploding networks are trained with 1 / sigma^2.
 *
 *   weight = (sigma^2 + sigmaData^2) / (sigma sigmaData)^2
 *
 * Karras et al. 2022, table 1.
 */
export function edmLossWeight(sigma: number, sigmaData = 0.5): number {
  return (sigma * sigma + sigmaData * sigmaData) / (sigma * sigmaData) ** 2
}
