import { type DistanceBlock, estimateOf, nextNear, squaredDistance, visitDistances } from './distance-blocks.js'
import { checkFeatures, checkWidths, type Features } from './features.js'
import { meanOf } from './mean.js'
import { checkNeighbours, squaredRadii } from './nearest.js'
import { plainProducts, type Products } from './products.js'

/** Options of `precisionRecall`. */
export interface PrecisionRecallOptions {
  /** Which nearest other sample a neighbourhood reaches to. Default: 5. ADM's suite: 3. */
  readonly k?: number
  /** `strict`: d < radius, as prdc; `inclusive`: d <= radius, as ADM's suite and torch-fidelity. Default: `strict`. */
  readonly boundary?: 'strict' | 'inclusive'
  readonly products?: Products
}

/** The four numbers, and what each sample contributes. */
export interface PrecisionRecall {
  /** Share of generated samples within a neighbourhood of a real one: fidelity. */
  readonly precision: number
  /** Share of real samples within a neighbourhood of a generated one: diversity. */
  readonly recall: number
  /** Neighbourhoods of real samples that a generated one lies in, on average, divided by k; may exceed 1. */
  readonly density: number
  /** Share of real samples with a generated one within their neighbourhood. */
  readonly coverage: number
  /** Distance of each real sample to its k-th nearest other. */
  readonly radiiReal: Float64Array
  readonly radiiGenerated: Float64Array
  /** 1 for each generated sample within a real neighbourhood. */
  readonly generatedInReal: Uint8Array
  /** 1 for each real sample within a generated neighbourhood. */
  readonly realInGenerated: Uint8Array
  /** Number of real neighbourhoods that each generated sample lies in. */
  readonly neighbourhoods: Int32Array
  /** 1 for each real sample that has a generated one within its neighbourhood. */
  readonly covered: Uint8Array
  readonly warnings: readonly string[]
}

/**
 * Precision, recall, density and coverage: whether samples of one set lie in neighbourhoods of the other's.
 *
 * The neighbourhood of a sample is the ball that reaches to its k-th nearest other sample of the same set; a duplicate counts as
 * another. Distances are Euclidean. Products rule out clear cases, and every comparison within their error is made in float64.
 *
 * @throws RangeError when either set has no more than k samples, widths differ, or numbers are not finite
 *
 * Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric for Assessing Generative Models", eq. 1 and 2; Naeem et al.
 * 2020, "Reliable Fidelity and Diversity Metrics for Generative Models", eq. 3 and 4.
 */
export function precisionRecall(
  real: Features,
  generated: Features,
  { k = 5, boundary = 'strict', products = plainProducts }: PrecisionRecallOptions = {},
): PrecisionRecall {
  const who = 'precisionRecall'
  const one = checkFeatures(who, 'the real set', real)
  const two = checkFeatures(who, 'the generated set', generated)
  checkWidths(who, one.width, two.width)
  checkNeighbours(who, 'the real set', k, one.count - 1)
  checkNeighbours(who, 'the generated set', k, two.count - 1)
  if (boundary !== 'strict' && boundary !== 'inclusive')
    throw new RangeError(`${who}: boundary must be strict or inclusive; it is ${String(boundary)}`)
  const squaresReal = squaredRadii(real, k, products)
  const squaresGenerated = squaredRadii(generated, k, products)
  const found: Memberships = {
    realInGenerated: new Uint8Array(one.count),
    covered: new Uint8Array(one.count),
    neighbourhoods: new Int32Array(two.count),
  }
  const isWithin = (square: number, radius: number) => (boundary === 'strict' ? square < radius : square <= radius)
  // The same rows in two sets are still samples of two sets.
  const other = real === generated ? { ...generated } : generated
  visitDistances(real, other, products, (block) =>
    compare(block, squaresReal, squaresGenerated, found, (i, j) => squaredDistance(real, i, other, j), isWithin),
  )
  const { neighbourhoods } = found
  const generatedInReal = Uint8Array.from(neighbourhoods, (times) => (times > 0 ? 1 : 0))
  return {
    precision: meanOf(generatedInReal),
    recall: meanOf(found.realInGenerated),
    density: meanOf(neighbourhoods) / k,
    coverage: meanOf(found.covered),
    radiiReal: squaresReal.map(Math.sqrt),
    radiiGenerated: squaresGenerated.map(Math.sqrt),
    generatedInReal,
    ...found,
    warnings: warningsOf(one.count, two.count),
  }
}

interface Memberships {
  readonly realInGenerated: Uint8Array
  readonly covered: Uint8Array
  readonly neighbourhoods: Int32Array
}

function compare(
  block: DistanceBlock,
  radiiA: Float64Array,
  radiiB: Float64Array,
  { realInGenerated, covered, neighbourhoods }: Memberships,
  exact: (i: number, j: number) => number,
  isWithin: (square: number, radius: number) => boolean,
): void {
  const { i0, i1, j0, j1 } = block
  for (let i = i0; i < i1; i++) {
    const radiusA = radiiA[i]
    for (let j = j0; (j = nextNear(block, i, j, j1, radiusA, radiiB)) < j1; j++) {
      const radiusB = radiiB[j]
      const { estimate, error } = estimateOf(block, i, j)
      const isClear = Math.abs(estimate - radiusA) > error && Math.abs(estimate - radiusB) > error
      const distance = isClear ? estimate : exact(i, j)
      if (isWithin(distance, radiusA)) {
        neighbourhoods[j]++
        covered[i] = 1
      }
      if (isWithin(distance, radiusB)) realInGenerated[i] = 1
    }
  }
}

/** Below this the four numbers still move with the number of samples; the papers use 10,000 and more. */
const ENOUGH = 1000

function warningsOf(real: number, generated: number): string[] {
  const warnings = []
  if (Math.min(real, generated) < ENOUGH) {
    warnings.push(
      `with ${real} real and ${generated} generated samples neighbourhoods are wide, and the shares come out high; ` +
        `take at least ${ENOUGH} of either`,
    )
  }
  if (real !== generated)
    warnings.push(`the sets have ${real} and ${generated} samples: precision and recall compare only with equal sizes`)
  return warnings
}
