import { checkFeatures, checkWidths, type Features } from './features.js'
import { plainProducts, type Products } from './products.js'
import type { Statistics } from './statistics.js'

/**
 * What is kept of features that come in pieces. Plain data: a worker may post it, and a file may hold it.
 *
 *   scatter = sum of (x - mean) (x - mean)^T
 */
export interface Moments {
  readonly width: number
  count: number
  /** `[D]` */
  readonly mean: Float64Array
  /** `[D, D]`, row-major, symmetric */
  readonly scatter: Float64Array
}

/** Moments of no samples. */
export function emptyMoments(width: number): Moments {
  if (!Number.isInteger(width) || width < 1)
    throw new RangeError(`emptyMoments: the width must be a positive integer; it is ${width}`)
  return { width, count: 0, mean: new Float64Array(width), scatter: new Float64Array(width * width) }
}

/** Numbers that are centred and multiplied at once: 2048 samples of 2048. */
const BLOCK_NUMBERS = 2 ** 22

/**
 * Adds samples to moments, in place. Any division of the samples gives the same moments up to rounding.
 *
 * Each block is centred about its own mean first, so that nothing is lost where means are large beside deviations. One more row,
 * sqrt(n1 n2 / (n1 + n2)) (mean2 - mean1), makes the product of a block its whole contribution.
 *
 * Chan, Golub & LeVeque 1979, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", eq. 2.1.
 */
export function addFeatures(
  moments: Moments,
  features: Features,
  { products = plainProducts }: { readonly products?: Products } = {},
): void {
  const { count, width } = checkFeatures('addFeatures', 'features', features, 0)
  checkWidths('addFeatures', moments.width, width)
  const most = Math.max(256, Math.floor(BLOCK_NUMBERS / width))
  for (let start = 0; start < count; start += most) {
    const size = Math.min(most, count - start)
    const block = Float64Array.from(features.data.subarray(start * width, (start + size) * width))
    const mean = centre(block, size, width)
    join(moments, { count: size, mean, centred: block }, products)
  }
}

/**
 * Adds the moments of other samples, such as those of another worker, in place.
 *
 * @throws RangeError when the widths differ
 */
export function mergeMoments(into: Moments, from: Moments): void {
  checkWidths('mergeMoments', into.width, from.width)
  if (from.count === 0) return
  for (let i = 0; i < into.scatter.length; i++) into.scatter[i] += from.scatter[i]
  join(into, { count: from.count, mean: from.mean, centred: null }, plainProducts)
}

/**
 * Mean and covariance (divided by count - 1, as `numpy.cov` does) of the samples so far. They are copies.
 *
 * @throws RangeError for fewer than 2 samples
 */
export function statisticsOf({ count, mean, scatter }: Moments): Statistics {
  if (!(count >= 2)) throw new RangeError(`statisticsOf: a covariance needs at least 2 samples; there are ${count}`)
  return { count, mean: mean.slice(), covariance: scatter.map((value) => value / (count - 1)) }
}

/** Mean and covariance of features, in float64. */
export function featureStatistics(features: Features, options: { readonly products?: Products } = {}): Statistics {
  const { width } = checkFeatures('featureStatistics', 'features', features, 2)
  const moments = emptyMoments(width)
  addFeatures(moments, features, options)
  return statisticsOf(moments)
}

/** Subtracts from rows their mean, and returns it. */
export function centre(rows: Float64Array, count: number, width: number): Float64Array {
  const mean = new Float64Array(width)
  // The second pass removes the rounding of the first.
  for (let pass = 0; pass < 2; pass++) {
    const shift = new Float64Array(width)
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < width; j++) shift[j] += rows[i * width + j]
    }
    for (let j = 0; j < width; j++) {
      shift[j] /= count
      mean[j] += shift[j]
    }
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < width; j++) rows[i * width + j] -= shift[j]
    }
  }
  return mean
}

/** Joins samples of a mean to moments: the scatter gains that of `centred` (if any) and that of the shift between the means. */
function join(moments: Moments, { count, mean, centred }: Block, products: Products): void {
  const { width } = moments
  const total = moments.count + count
  const weight = Math.sqrt((moments.count * count) / total)
  const isFirst = moments.count === 0
  const numRows = centred === null ? 0 : count
  const k = numRows + 1
  const columns = new Float64Array(width * k)
  for (let j = 0; j < width; j++) {
    for (let i = 0; i < numRows; i++) columns[j * k + i] = centred![i * width + j]
    const shift = mean[j] - moments.mean[j]
    columns[j * k + numRows] = isFirst ? 0 : weight * shift
    moments.mean[j] = isFirst ? mean[j] : moments.mean[j] + shift * (count / total)
  }
  products.syrk(columns, moments.scatter, { n: width, k })
  moments.count = total
}

interface Block {
  readonly count: number
  readonly mean: Float64Array
  readonly centred: Float64Array | null
}
