import { timestepFeatures } from '@dit/schedules'
import { type Backend, currentBackend, formatShape, gather, linear, scope, type Tensor, tensor } from '@dit/tensor'
import { hostIndices } from './host-indices.js'

export interface SinusoidalOptions {
  /** Number of features; DiT uses 256. */
  readonly width?: number
  /** The slowest wave has a period of nearly 2 pi maxPeriod. */
  readonly maxPeriod?: number
  /** Taken from the divisor of the frequencies' exponent: 0 (default) in DiT, 1 in diffusers' version of it. */
  readonly frequencyShift?: number
  /** Where the result lives; the current backend by default. */
  readonly backend?: Backend
}

/**
 * `timestepFeatures` of @dit/schedules as a tensor: cosines, then sines, of the timesteps at `width / 2` frequencies.
 *
 * @param timesteps `[B]`, on the host; fractions are allowed
 * @returns `[B, width]`; the caller disposes of it
 * @throws RangeError when a timestep is not finite
 */
export function sinusoidalFeatures(
  timesteps: ArrayLike<number>,
  { width = 256, maxPeriod = 10000, frequencyShift = 0, backend = currentBackend() }: SinusoidalOptions = {},
): Tensor {
  return tensor(timestepFeatures(timesteps, width, maxPeriod, frequencyShift), [timesteps.length, width], { backend })
}

/** The two linear layers of a timestep embedder: numbers as in the names of a state dict, `t_embedder.mlp.0` and `.2`. */
export interface TimestepMlpWeights {
  /** `[D, width]` */
  readonly weight0: Tensor
  /** `[D]` */
  readonly bias0: Tensor
  /** `[D, D]` */
  readonly weight2: Tensor
  /** `[D]` */
  readonly bias2: Tensor
}

/**
 * Linear, SiLU, Linear on features of timesteps.
 *
 * @param features `[B, width]`
 * @returns `[B, D]`
 * @throws RangeError when the extents do not fit
 */
export function timestepMlp(features: Tensor, { weight0, bias0, weight2, bias2 }: TimestepMlpWeights): Tensor {
  return scope(() => linear(linear(features, weight0, bias0, { activation: 'silu' }), weight2, bias2)) // [B, D]
}

/**
 * Embedding of timesteps through sinusoidal features, as wide as the weights want them.
 *
 * @param timesteps `[B]`, on the host; fractions are allowed and nothing is rescaled
 * @returns `[B, D]`, on the backend of the weights
 * @throws RangeError when a timestep is not finite
 *
 * Peebles & Xie 2022, appendix A; Ho et al. 2020, appendix B.
 */
export function timestepEmbedding(timesteps: ArrayLike<number>, weights: TimestepMlpWeights): Tensor {
  const { shape, backend } = weights.weight0
  return scope(() => timestepMlp(sinusoidalFeatures(timesteps, { width: shape[1], backend }), weights)) // [B, D]
}

/**
 * Embedding of timesteps by a learned table: one row each.
 *
 * @param timesteps `[B]`, on the host; integers in 0 .. T - 1
 * @param table     `[T, D]`
 * @returns `[B, D]`
 * @throws RangeError when a timestep has no row
 */
export function timestepTableEmbedding(timesteps: ArrayLike<number>, table: Tensor): Tensor {
  if (table.shape.length !== 2) {
    throw new RangeError(`timestepTableEmbedding: table must be [T, D] (got ${formatShape(table.shape)})`)
  }
  const indices = hostIndices('timestepTableEmbedding', 'timesteps', timesteps, table.shape[0])
  return scope(() => gather(table, tensor(indices, [indices.length], { backend: table.backend })))
}
