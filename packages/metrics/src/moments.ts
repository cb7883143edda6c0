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
  const { width } = checkFeatures('addFeatures', 'features', features, 0)
  checkWidths('addFeatures', moments.width, width)
  addRows(moments, features, products)
}

function addRows(moments: Moments, { shape: [count, width], data }: Features, products: Products): void {
  const most = Math.max(256, Math.floor(BLOCK_NUMBERS / width))
  for (let start = 0; start < count; start += most) {
    const size = Math.min(most, count - start)
    const columns = columnsOf(data.subarray(start * width, (start + size) * width), size, width)
    join(moments, { count: size, mean: centreColumns(columns, size, width), columns }, products)
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
  join(into, { count: from.count, mean: from.mean, columns: new Float64Array(into.width) }, plainProducts)
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
  addRows(moments, features, options.products ?? plainProducts)
  return statisticsOf(moments)
}

/** Rows and columns that are transposed at once, so that both lie in the first cache. */
const TILE = 32

/** Columns `[width, count + 1]` of rows `[count, width]`: each has room for one more number at its end. */
function columnsOf(rows: Float32Array | Float64Array, count: number, width: number): Float64Array {
  const columns = new Float64Array(width * (count + 1))
  for (let i0 = 0; i0 < count; i0 += TILE) {
    const i1 = Math.min(i0 + TILE, count)
    for (let j0 = 0; j0 < width; j0 += TILE) {
      const j1 = Math.min(j0 + TILE, width)
      for (let j = j0; j < j1; j++) {
        for (let i = i0, to = j * (count + 1) + i; i < i1; i++) columns[to++] = rows[i * width + j]
      }
    }
  }
  return columns
}

/** Subtracts from columns their means, and returns these. */
function centreColumns(columns: Float64Array, count: number, width: number): Float64Array {
  const mean = new Float64Array(width)
  for (let j = 0; j < width; j++) {
    const [from, to] = [j * (count + 1), j * (count + 1) + count]
    // The second pass removes the rounding of the first.
    for (let pass = 0; pass < 2; pass++) {
      let sum = 0
      for (let at = from; at < to; at++) sum += columns[at]
      const shift = sum / count
      mean[j] += shift
      for (let at = from; at < to; at++) columns[at] -= shift
    }
  }
  return mean
}

/** Joins samples to moments: the scatter gains that of `columns`, whose last number is made the shift between the means. */
function join(moments: Moments, { count, mean, columns }: Block, products: Products): void {
  const { width } = moments
  const total = moments.count + count
  const weight = Math.sqrt((moments.count * count) / total)
  const isFirst = moments.count === 0
  const k = columns.length / width
  for (let j = 0; j < width; j++) {
    const shift = mean[j] - moments.mean[j]
    columns[j * k + k - 1] = isFirst ? 0 : weight * shift
    moments.mean[j] = isFirst ? mean[j] : moments.mean[j] + shift * (count / total)
  }
  products.syrk(columns, moments.scatter, { n: width, k })
  moments.count = total
}

interface Block {
  readonly count: number
  readonly mean: Float64Array
  /** Centred columns `[width, k]`, each with one more number, which `join` sets. */
  readonly columns: Float64Array
}
