import { permutation, randomStream } from '@dit/random'
import { checkFeatures, checkWidths, type Features } from './features.js'
import { type Kernel, mmdEstimates, subsetOf } from './squared-mmd.js'
import { deviationOf, meanOf } from './mean.js'
import { plainProducts, type Products } from './products.js'

/** Options of `kernelDistance`. */
export interface KernelDistanceOptions {
  /** Number of subsets. Default: 100. */
  readonly numSubsets?: number
  /** Samples of each set in a subset. Default: 1000. */
  readonly subsetSize?: number
  /** Names the subsets. Default: 0. */
  readonly seed?: number
  /** The subsets themselves, as rows of either set; in place of `numSubsets`, `subsetSize` and `seed`. */
  readonly subsets?: readonly (readonly [ArrayLike<number>, ArrayLike<number>])[]
  /** Default: ((x.y) / D + 1)^3 */
  readonly kernel?: Kernel
  readonly products?: Products
}

/** Kernel distance over subsets. */
export interface KernelDistance {
  /** Mean over subsets. Unbiased, so it may be negative for close sets. Papers often quote 1000 times it. */
  readonly mean: number
  /** Standard deviation over subsets (divisor: their number). Not the standard error of `mean`: the subsets share samples. */
  readonly std: number
  /** Squared MMD of each subset. */
  readonly values: readonly number[]
  readonly warnings: readonly string[]
}

/**
 * KID: the unbiased squared MMD with a cubic kernel, averaged over random subsets. Each is drawn without replacement, from either
 * set by itself.
 *
 * `squaredMmd` gives the value of whole sets.
 *
 * @throws RangeError when a subset is larger than a set or has fewer than 2 samples, when widths differ, or numbers are not finite
 *
 * Bińkowski et al. 2018, "Demystifying MMD GANs", section 4.
 */
export function kernelDistance(first: Features, second: Features, options: KernelDistanceOptions = {}): KernelDistance {
  const who = 'kernelDistance'
  const { kernel = { type: 'polynomial' }, products = plainProducts } = options
  const one = checkFeatures(who, 'the first set', first, 2)
  const two = checkFeatures(who, 'the second set', second, 2)
  checkWidths(who, one.width, two.width)
  const subsets = options.subsets ?? drawSubsets(who, one.count, two.count, options)
  if (subsets.length === 0) throw new RangeError(`${who}: there must be at least one subset`)
  const values = subsets.map(
    ([rows1, rows2]) =>
      mmdEstimates(who, subsetOf(first, one, rows1, who), subsetOf(second, two, rows2, who), kernel, products).unbiased,
  )
  const size = subsets[0][0].length
  const fewest = Math.min(one.count, two.count)
  const warnings =
    2 * size > fewest && subsets.length > 1
      ? [
          `subsets of ${size} of ${fewest} samples share most of them, so their standard deviation is too small; ` +
            `take subsets of at most ${Math.floor(fewest / 2)}, or squaredMmd of the whole sets`,
        ]
      : []
  return { mean: meanOf(values), std: deviationOf(values), values, warnings }
}

function drawSubsets(
  who: string,
  count1: number,
  count2: number,
  { numSubsets = 100, subsetSize = 1000, seed = 0 }: KernelDistanceOptions,
): [Uint32Array, Uint32Array][] {
  const fewest = Math.min(count1, count2)
  if (!Number.isInteger(numSubsets) || numSubsets < 1)
    throw new RangeError(`${who}: numSubsets must be a positive integer; it is ${numSubsets}`)
  if (!Number.isInteger(subsetSize) || subsetSize < 2 || subsetSize > fewest) {
    throw new RangeError(
      `${who}: subsetSize must be an integer in 2 .. ${fewest}, the size of the smaller set; it is ${subsetSize}`,
    )
  }
  const draw = (set: string, count: number, i: number) =>
    permutation(randomStream(seed, 'kernel-distance', set, i), count).subarray(0, subsetSize)
  return Array.from({ length: numSubsets }, (_, i) => [draw('first', count1, i), draw('second', count2, i)])
}
