import { checkFeatures, checkWidths, type Features, takeRows } from './features.js'
import { meanOf } from './mean.js'
import { nearestSquares } from './nearest.js'
import { plainProducts, type Products } from './products.js'

/** How many generated samples are no copies. */
export interface Authenticity {
  /** Share of authentic samples, in 0 .. 1. Papers give it in percent. */
  readonly share: number
  /** 1 for each authentic sample. */
  readonly authentic: Uint8Array
  /** Nearest training sample of each generated one. */
  readonly nearest: Int32Array
  readonly warnings: readonly string[]
}

/**
 * Authenticity: the share of generated samples that are farther from their nearest training sample than that one is from its own nearest
 * other. About half of the samples of the training distribution itself are; copies are not.
 *
 * @param training  features of the training set, all of it: what is left out cannot be recognised
 * @throws RangeError for fewer than 2 training samples, an empty generated set, different widths, or numbers that are not finite
 *
 * Alaa et al. 2022, "How Faithful is your Synthetic Data?", section 4.3.
 */
export function authenticity(
  training: Features,
  generated: Features,
  { products = plainProducts }: { readonly products?: Products } = {},
): Authenticity {
  const one = checkFeatures('authenticity', 'the training set', training, 2)
  const two = checkFeatures('authenticity', 'the generated set', generated)
  checkWidths('authenticity', one.width, two.width)
  const { indices: nearest, squares } = nearestSquares(generated, otherThan(generated, training), 1, products)
  const asked = Int32Array.from(new Set(nearest)).toSorted()
  // Two candidates: the sample finds itself, or a duplicate.
  const own = nearestSquares(takeRows(training, asked), training, 2, products)
  const reach = new Map(
    Array.from(asked, (row, i) => [row, own.indices[2 * i] === row ? own.squares[2 * i + 1] : own.squares[2 * i]]),
  )
  const authentic = Uint8Array.from(nearest, (row, i) => (squares[i] > reach.get(row)! ? 1 : 0))
  const warnings =
    one.count < two.count
      ? [
          `there are fewer training samples (${one.count}) than generated ones (${two.count}); is the training set whole?`,
        ]
      : []
  return { share: meanOf(authentic), authentic, nearest, warnings }
}

/** The same rows as a training set that are no samples of the other set. */
function otherThan(generated: Features, training: Features): Features {
  return generated === training ? { ...training } : training
}
