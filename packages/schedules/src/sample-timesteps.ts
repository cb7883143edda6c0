import { type RandomStream, uint32s } from '@dit/random'
import { checkNumTimesteps } from './check.js'

/** Timesteps for a batch, and what to multiply each sample's loss by. */
export interface SampledTimesteps {
  /** `[B]`, integers in 0 .. T - 1. */
  readonly timesteps: Int32Array
  /** `[B]`, float32: 1 / (T p[timestep]), which makes the weighted mean loss unbiased for uniform timesteps. */
  readonly importanceWeights: Float32Array
}

/**
 * Sampling weights of the uniform distribution: 1 for every timestep.
 *
 * @throws RangeError when `numTimesteps` is no positive integer
 */
export function uniformWeights(numTimesteps: number): Float64Array {
  checkNumTimesteps('uniformWeights', numTimesteps)
  return new Float64Array(numTimesteps).fill(1)
}

/**
 * Timesteps for given uniform draws: the first timestep whose normalised cumulative weight exceeds the draw.
 *
 *   p = weights / sum(weights)        importanceWeight = 1 / (T p[timestep])
 *
 * @param weights  `[T]`, non-negative, not all 0: from `uniformWeights`, `lossHistoryWeights` or your own
 * @param u        `[B]`, uniform draws in [0, 1)
 * @throws RangeError when a weight or a draw is out of range
 *
 * Nichol and Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", section 3.3.
 */
export function sampleTimesteps(weights: ArrayLike<number>, u: ArrayLike<number>): SampledTimesteps {
  const probabilities = normalise(weights)
  const cumulative = new Float64Array(probabilities.length)
  let sum = 0
  probabilities.forEach((p, i) => (cumulative[i] = sum += p))
  const timesteps = Int32Array.from(u, (draw) => {
    if (!(draw >= 0 && draw < 1)) throw new RangeError(`sampleTimesteps: draws must lie in [0, 1) (got ${draw})`)
    return firstAbove(cumulative, draw, sum)
  })
  const importanceWeights = Float32Array.from(timesteps, (t) => 1 / (probabilities.length * probabilities[t]))
  return { timesteps, importanceWeights }
}

/**
 * Timesteps drawn from a random stream, a pure function of the weights, the stream and the index.
 *
 * Draw i uses the words 2i and 2i + 1 of the stream as a uniform number of 53 bits, so a batch that is split over
 * several workers gets the timesteps of the whole batch.
 *
 * @param weights  `[T]`, as for `sampleTimesteps`
 * @param stream   from `randomStream` of `@dit/random`, usually one per training step
 * @param count    how many timesteps, B
 * @param start    index of the first draw
 * @throws RangeError when a weight, `count` or `start` is out of range
 *
 * @example
 * const { timesteps } = drawTimesteps(uniformWeights(1000), randomStream(seed, 'timesteps', step), 256)
 */
export function drawTimesteps(
  weights: ArrayLike<number>,
  stream: RandomStream,
  count: number,
  start = 0,
): SampledTimesteps {
  const words = uint32s(stream, 2 * count, 2 * start)
  const u = Float64Array.from({ length: count }, (_, i) => {
    return (words[2 * i] * 2 ** 21 + (words[2 * i + 1] >>> 11)) * 2 ** -53
  })
  return sampleTimesteps(weights, u)
}

function normalise(weights: ArrayLike<number>): Float64Array {
  let total = 0
  for (let i = 0; i < weights.length; i++) {
    if (!(weights[i] >= 0)) {
      throw new RangeError(`sampleTimesteps: weights must not be negative (weights[${i}] is ${weights[i]})`)
    }
    total += weights[i]
  }
  if (!(total > 0 && total < Infinity)) {
    throw new RangeError(`sampleTimesteps: weights must have a positive, finite sum (got ${total})`)
  }
  return Float64Array.from(weights, (weight) => weight / total)
}

/** First index whose cumulative weight, divided by the total, is greater than `draw`; there is one for draw < 1. */
function firstAbove(cumulative: Float64Array, draw: number, total: number): number {
  let low = 0
  let high = cumulative.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (cumulative[middle] / total > draw) high = middle
    else low = middle + 1
  }
  return low
}
