import { permutation, randomStream } from '@dit/random'
import { checkFeatures, type Features, samples, takeRows } from './features.js'
import { frechetDistance } from './frechet-distance.js'
import { deviationOf, meanOf } from './mean.js'
import { addFeatures, emptyMoments, type Moments, statisticsOf } from './moments.js'
import { plainProducts, type Products } from './products.js'
import type { Statistics } from './statistics.js'
import { studentQuantile } from './student.js'

/** Options of `frechetInterval` and `frechetDifference`. */
export interface FrechetIntervalOptions {
  /** Number of blocks that each set is cut into. Each block costs one distance, or two for the real set of a difference. Default: 20. */
  readonly numBlocks?: number
  /** How often the interval should hold the expected value. Default: 0.95. */
  readonly level?: number
  /** Names the division into blocks. Default: 0. */
  readonly seed?: number
  readonly products?: Products
}

/** A Fréchet distance, or a difference of two, with its interval. */
export interface FrechetInterval {
  /** Of all samples. */
  readonly value: number
  /** Ends of an interval for the value that sets of these sizes have on average. It does not take their bias away. */
  readonly low: number
  readonly high: number
  readonly standardError: number
  /** What the value has too much since the sets are finite, to first order in 1 / N: `value - bias` estimates that of infinite sets. */
  readonly bias: number
}

/**
 * Interval of a Fréchet distance by a jackknife: the distance is computed again without each block of samples, for both sets.
 *
 *   variance = sum over sets of (B - 1) / B sum over blocks of (d without the block - their mean)^2
 *   bias     = sum over sets of (B - 1) (mean of d without a block - d)
 *
 * Resampling rows, as a bootstrap does, would bias the distance further and cost a distance for each of many resamples.
 *
 * @param real  features; statistics are taken as exact and add no variance
 * @throws RangeError for fewer than two samples a block, numBlocks below 3, and where `frechetDistance` does
 *
 * Efron & Tibshirani 1993, "An Introduction to the Bootstrap", chapter 11.
 */
export function frechetInterval(
  real: Features | Statistics,
  generated: Features,
  options: FrechetIntervalOptions = {},
): FrechetInterval {
  const { products = plainProducts } = options
  return jackknife(
    'frechetInterval',
    [real, generated],
    options,
    ([one, two]) => frechetDistance(one, two, { products }).distance,
  )
}

/**
 * Interval of the difference of two models: distance of `one` less distance of `other`, from the same real set. What both owe to the
 * choice of real pictures cancels, so that it is narrower than the intervals of both would suggest.
 *
 * @throws as `frechetInterval`
 */
export function frechetDifference(
  real: Features | Statistics,
  one: Features,
  other: Features,
  options: FrechetIntervalOptions = {},
): FrechetInterval {
  const { products = plainProducts } = options
  const distance = (a: Statistics, b: Statistics) => frechetDistance(a, b, { products }).distance
  return jackknife(
    'frechetDifference',
    [real, one, other],
    options,
    ([reference, first, second]) => distance(reference, first) - distance(reference, second),
  )
}

function jackknife(
  who: string,
  sets: readonly (Features | Statistics)[],
  { numBlocks = 20, level = 0.95, seed = 0, products = plainProducts }: FrechetIntervalOptions,
  measure: (statistics: readonly Statistics[]) => number,
): FrechetInterval {
  if (!Number.isInteger(numBlocks) || numBlocks < 3)
    throw new RangeError(`${who}: numBlocks must be an integer of at least 3; it is ${numBlocks}`)
  if (!(level > 0 && level < 1)) throw new RangeError(`${who}: level must lie between 0 and 1; it is ${level}`)
  const moments = sets.map((set, i) => ('covariance' in set ? set : momentsOf(who, i, set, numBlocks, products)))
  const whole = moments.map((each) => ('covariance' in each ? each : statisticsOf(each)))
  const value = measure(whole)
  let [variance, bias, numDrawn] = [0, 0, 0]
  for (const [i, set] of sets.entries()) {
    const all = moments[i]
    if ('covariance' in set || 'covariance' in all) continue
    numDrawn++
    const values: number[] = []
    for (const block of blocksOf(set, numBlocks, randomStream(seed, 'jackknife', i)))
      values.push(measure(whole.with(i, statisticsOf(without(all, block, products)))))
    variance += (numBlocks - 1) * deviationOf(values) ** 2
    bias += (numBlocks - 1) * (meanOf(values) - value)
  }
  const standardError = Math.sqrt(variance)
  const reach = studentQuantile((1 + level) / 2, numDrawn * (numBlocks - 1)) * standardError
  return { value, low: value - reach, high: value + reach, standardError, bias }
}

function momentsOf(who: string, set: number, features: Features, numBlocks: number, products: Products): Moments {
  const what = set === 0 ? 'the real set' : 'a generated set'
  const { count, width } = checkFeatures(who, what, features)
  if (count < 2 * numBlocks)
    throw new RangeError(
      `${who}: ${numBlocks} blocks need at least ${2 * numBlocks} samples; ${what} has ${samples(count)}`,
    )
  const moments = emptyMoments(width)
  addFeatures(moments, features, { products })
  return moments
}

/** Blocks of equal size up to one, of rows in random order. */
function* blocksOf(
  features: Features,
  numBlocks: number,
  stream: ReturnType<typeof randomStream>,
): Generator<Features> {
  const [count] = features.shape
  const order = permutation(stream, count)
  for (let b = 0; b < numBlocks; b++) {
    const [start, end] = [Math.floor((b * count) / numBlocks), Math.floor(((b + 1) * count) / numBlocks)]
    yield takeRows(features, order.subarray(start, end))
  }
}

/** Moments of all samples but those of a block: `mergeMoments` backwards. */
function without(all: Moments, block: Features, products: Products): Moments {
  const { width } = all
  const part = emptyMoments(width)
  addFeatures(part, block, { products })
  const count = all.count - part.count
  const mean = all.mean.map((value, j) => value + (value - part.mean[j]) * (part.count / count))
  const weight = (count * part.count) / all.count
  const shift = mean.map((value, j) => value - part.mean[j])
  const scatter = new Float64Array(width * width)
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < width; j++) {
      const at = i * width + j
      scatter[at] = all.scatter[at] - part.scatter[at] - weight * shift[i] * shift[j]
    }
  }
  return { width, count, mean, scatter }
}
