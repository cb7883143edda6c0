import { permutation, randomStream } from '@dit/random'
import { checkFeatures, type Features, takeRows } from './features.js'
import { frechetDistance } from './frechet-distance.js'
import { meanOf } from './mean.js'
import { featureStatistics } from './moments.js'
import { plainProducts, type Products } from './products.js'
import type { Statistics } from './statistics.js'

/** Options of `frechetInfinity`. */
export interface FrechetInfinityOptions {
  /** How many sizes of subsets. Default: 15. */
  readonly numSizes?: number
  /** Names the subsets. Default: 0. */
  readonly seed?: number
  /** The subsets themselves, each a list of rows of `generated`; in place of `numSizes` and `seed`. */
  readonly subsets?: readonly ArrayLike<number>[]
  readonly products?: Products
}

/** A line through distances of subsets. */
export interface FrechetInfinity {
  /** The line at 1 / N = 0; it may be negative. */
  readonly distance: number
  /** How fast the distance falls with 1 / N. */
  readonly slope: number
  readonly sizes: readonly number[]
  /** Fréchet distance of each subset. */
  readonly distances: readonly number[]
  /** Root of the mean squared distance of the points from the line. */
  readonly residual: number
  readonly warnings: readonly string[]
}

/**
 * Fréchet distance for infinitely many generated samples: distances of subsets of growing size on a line in 1 / N, and its value
 * at 0.
 *
 * Sizes are those of dgm-eval: evenly spaced from N / 10 (at most 5000, at least 2) to N, and truncated to integers.
 *
 * @param real  features or statistics of all real samples
 * @throws RangeError for subsets of fewer than 2 samples, or when all have the same size, and where `frechetDistance` does
 *
 * Chong & Forsyth 2020, "Effectively Unbiased FID and Inception Score and Where to Find Them", section 4.
 */
export function frechetInfinity(
  real: Features | Statistics,
  generated: Features,
  { numSizes = 15, seed = 0, subsets, products = plainProducts }: FrechetInfinityOptions = {},
): FrechetInfinity {
  const { count, width } = checkFeatures('frechetInfinity', 'the generated set', generated, 2)
  const rows = subsets ?? drawSubsets(subsetSizes(count, numSizes), count, seed)
  const sizes = rows.map(({ length }) => length)
  if (new Set(sizes).size < 2)
    throw new RangeError(`frechetInfinity: a line needs subsets of two sizes; they are ${sizes.join(', ')}`)
  const reference = 'covariance' in real ? real : featureStatistics(real, { products })
  const distances = rows.map((list) => frechetDistance(reference, takeRows(generated, list), { products }).distance)
  const line = fitLine(
    sizes.map((size) => 1 / size),
    distances,
  )
  const smallest = Math.min(...sizes)
  const warnings =
    smallest <= width
      ? [
          `the smallest subset has ${smallest} samples of ${width} numbers: with a singular covariance the distance does not ` +
            `follow a line in 1 / N; take more than ${10 * width} samples`,
        ]
      : []
  return { distance: line.intercept, slope: line.slope, sizes, distances, residual: line.residual, warnings }
}

/** Sizes of dgm-eval: evenly spaced from N / 10 (at most 5000, at least 2) to N, truncated. */
export function subsetSizes(count: number, numSizes: number): number[] {
  if (!Number.isInteger(numSizes) || numSizes < 2)
    throw new RangeError(`frechetInfinity: numSizes must be an integer of at least 2; it is ${numSizes}`)
  const first = Math.min(5000, Math.max(Math.floor(count / 10), 2))
  const step = (count - first) / (numSizes - 1)
  return Array.from({ length: numSizes }, (_, i) => (i === numSizes - 1 ? count : Math.floor(first + i * step)))
}

function drawSubsets(sizes: readonly number[], count: number, seed: number): Uint32Array[] {
  return sizes.map((size, i) => permutation(randomStream(seed, 'frechet-infinity', i), count).subarray(0, size))
}

/** Ordinary least squares. */
function fitLine(x: readonly number[], y: readonly number[]): { intercept: number; slope: number; residual: number } {
  const [meanX, meanY] = [meanOf(x), meanOf(y)]
  let [xx, xy] = [0, 0]
  for (let i = 0; i < x.length; i++) {
    xx += (x[i] - meanX) ** 2
    xy += (x[i] - meanX) * (y[i] - meanY)
  }
  const slope = xy / xx
  const residual = Math.sqrt(meanOf(x.map((value, i) => (y[i] - meanY - slope * (value - meanX)) ** 2)))
  return { intercept: meanY - slope * meanX, slope, residual }
}
