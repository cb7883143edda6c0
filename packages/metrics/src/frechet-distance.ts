import { symmetricEigenvalues } from './eigenvalues.js'
import { type Factor, factorCovariance } from './factor-covariance.js'
import { checkFeatures, checkWidths, type Features, samples } from './features.js'
import { featureStatistics } from './moments.js'
import { plainProducts, type Products } from './products.js'
import { checkStatistics, type Statistics } from './statistics.js'

/** Fréchet distance and the terms that it is the sum of. */
export interface FrechetDistance {
  /** meanTerm + trace1 + trace2 - 2 traceSqrt; of equal sets 0 up to rounding, which may be negative */
  readonly distance: number
  /** Squared distance of the means. */
  readonly meanTerm: number
  /** Trace of the first covariance. */
  readonly trace1: number
  /** Trace of the second covariance. */
  readonly trace2: number
  /** Trace of the square root of the product of the covariances. */
  readonly traceSqrt: number
  /** What a reader must know about the value: too few samples. */
  readonly warnings: readonly string[]
}

/**
 * Fréchet distance between the Gaussians that have the means and covariances of two sets.
 *
 *   |m1 - m2|^2 + tr S1 + tr S2 - 2 tr sqrt(S1 S2)
 *
 * On pooled Inception features it is FID, on spatial ones sFID (`spatialFeatures`). Neither square root nor product of covariances is
 * formed: with S1 = U1^T U1 and S2 = U2^T U2, the trace is the sum of the singular values of U1 U2^T. U is the centred samples
 * where they are no more than D, and else a Cholesky factor of any rank. Nothing is added to a diagonal.
 *
 * The estimate is biased upwards by about c / N: compare sets of equal size, and quote it; or see `frechetInfinity`.
 *
 * @param first   features, or statistics of them; which set is first does not matter
 * @param second  of the same width
 * @throws RangeError for fewer than 2 samples, different widths, numbers that are not finite, or a matrix that is no covariance
 *
 * Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", eq. 6; Dowson &
 * Landau 1982.
 */
export function frechetDistance(
  first: Features | Statistics,
  second: Features | Statistics,
  { products = plainProducts }: { readonly products?: Products } = {},
): FrechetDistance {
  const sets = [gaussianOf('the first set', first, products), gaussianOf('the second set', second, products)] as const
  const [one, two] = sets
  checkWidths('frechetDistance', one.mean.length, two.mean.length)
  const shift =
    'data' in first && 'data' in second ? meanShift(first, second, one.mean) : one.mean.map((m, i) => m - two.mean[i])
  const meanTerm = shift.reduce((sum, value) => sum + value * value, 0)
  const traceSqrt = nuclearNorm(one.factor(), two.factor(), products)
  const distance = meanTerm + one.trace + two.trace - 2 * traceSqrt
  return { distance, meanTerm, trace1: one.trace, trace2: two.trace, traceSqrt, warnings: warningsOf(sets) }
}

/** Difference of the means, in the digits of deviations: rounded means would lose them where means are large. */
function meanShift(first: Features, second: Features, origin: Float64Array): Float64Array {
  const [one, two] = [meanAbout(first, origin), meanAbout(second, origin)]
  return one.map((value, i) => value - two[i])
}

function meanAbout({ shape: [count, width], data }: Features, origin: Float64Array): Float64Array {
  const sum = new Float64Array(width)
  for (let i = 0, at = 0; i < count; i++) {
    for (let j = 0; j < width; j++, at++) sum[j] += data[at] - origin[j]
  }
  return sum.map((value) => value / count)
}

interface Gaussian {
  readonly what: string
  readonly count: number | null
  readonly mean: Float64Array
  readonly trace: number
  factor(): Factor
}

function gaussianOf(what: string, set: Features | Statistics, products: Products): Gaussian {
  if ('covariance' in set) return ofStatistics(what, set, products)
  const { count, width } = checkFeatures('frechetDistance', what, set, 2)
  if (count > width) return ofStatistics(what, featureStatistics(set, { products }), products)
  const rows = Float64Array.from(set.data)
  const mean = centre(rows, count, width)
  let trace = 0
  for (let i = 0; i < rows.length; i++) {
    rows[i] /= Math.sqrt(count - 1)
    trace += rows[i] * rows[i]
  }
  return { what, count, mean, trace, factor: () => ({ rank: count, width, rows }) }
}

/** Subtracts from rows their mean, and returns it. */
function centre(rows: Float64Array, count: number, width: number): Float64Array {
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

function ofStatistics(what: string, statistics: Statistics, products: Products): Gaussian {
  const width = checkStatistics('frechetDistance', what, statistics)
  const { count, mean, covariance } = statistics
  let trace = 0
  for (let i = 0; i < width; i++) trace += covariance[i * width + i]
  return {
    what,
    count,
    mean,
    trace,
    factor: () => factorCovariance('frechetDistance', what, covariance, width, products),
  }
}

/** Sum of the singular values of U1 U2^T: of the roots of the eigenvalues of its smaller Gram matrix. */
function nuclearNorm(one: Factor, two: Factor, products: Products): number {
  const [few, many] = one.rank <= two.rank ? [one, two] : [two, one]
  const product = new Float64Array(few.rank * many.rank)
  products.gemm(few.rows, many.rows, product, { m: few.rank, n: many.rank, k: few.width })
  // By a power of two, so that squares of tiny numbers do not vanish.
  const largest = product.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  if (largest === 0) return 0
  const scale = 2 ** Math.floor(Math.log2(largest))
  for (let i = 0; i < product.length; i++) product[i] /= scale
  const gram = new Float64Array(few.rank * few.rank)
  products.syrk(product, gram, { n: few.rank, k: many.rank })
  let sum = 0
  for (const value of symmetricEigenvalues(gram, few.rank, { products })) sum += Math.sqrt(Math.max(value, 0))
  return sum * scale
}

function warningsOf(sets: readonly Gaussian[]): string[] {
  return sets.flatMap(({ what, count, mean: { length: width } }) =>
    count !== null && count <= width
      ? [
          `${what} has ${samples(count)} of ${width} numbers, so its covariance is singular and the distance is biased ` +
            `upwards; take more than ${width}, and the same number in both sets`,
        ]
      : [],
  )
}
