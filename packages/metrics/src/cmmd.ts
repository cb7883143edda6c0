import { checkFeatures, checkWidths, type Features } from './features.js'
import { mmdEstimates } from './squared-mmd.js'
import { plainProducts, type Products } from './products.js'

/** Options of `cmmd`. */
export interface CmmdOptions {
  /** Width of the kernel. Default: 10. */
  readonly sigma?: number
  /** What the squared MMD is multiplied by. Default: 1000. */
  readonly scale?: number
  readonly products?: Products
}

/** CMMD and how much of it is bias. */
export interface Cmmd {
  /** scale times the biased squared MMD, as published */
  readonly distance: number
  /** The same without the pairs of a sample with itself; may be negative. */
  readonly unbiased: number
  readonly warnings: readonly string[]
}

/**
 * CMMD: 1000 times the biased squared MMD of embeddings with a Gaussian kernel of sigma 10.
 *
 * @param first  CLIP embeddings of unit length, which the caller divides by their length
 * @throws RangeError for fewer than 2 samples, different widths, numbers that are not finite, or a sigma that is not positive
 *
 * Jayasumana et al. 2024, "Rethinking FID: Towards a Better Evaluation Metric for Image Generation", section 4.
 */
export function cmmd(
  first: Features,
  second: Features,
  { sigma = 10, scale = 1000, products = plainProducts }: CmmdOptions = {},
): Cmmd {
  const one = checkFeatures('cmmd', 'the first set', first, 2)
  const two = checkFeatures('cmmd', 'the second set', second, 2)
  checkWidths('cmmd', one.width, two.width)
  const kernel = { type: 'rbf', sigma } as const
  const estimates = mmdEstimates('cmmd', first, second, kernel, products)
  const [distance, unbiased] = [scale * estimates.biased, scale * estimates.unbiased]
  const bias = distance - unbiased
  const warnings =
    bias > Math.abs(unbiased) / 10
      ? [`of the distance ${bias.toPrecision(2)} comes from the few samples (${one.count} and ${two.count}); take more`]
      : []
  return { distance, unbiased, warnings }
}
