import { type Features, precisionRecall, takeRows } from '@dit/metrics'
import { permutation, randomStream } from '@dit/random'
import type { Measured, MeasureOptions } from './measured.js'
import { resample } from './resample.js'
import { shareInterval } from './share-interval.js'

/** The four measures of neighbourhoods. */
export const NEIGHBOUR_MEASURES = ['precision', 'recall', 'density', 'coverage'] as const

export type NeighbourMeasure = (typeof NEIGHBOUR_MEASURES)[number]

/** What was found of each picture, and how a measure follows from it. */
export interface Memberships {
  readonly n: number
  /** Per measure: a number of each picture, of the generated (0) or the real set (1), and what their mean is divided by. */
  readonly of: Readonly<
    Record<NeighbourMeasure, { readonly each: ArrayLike<number>; readonly set: 0 | 1; readonly scale: number }>
  >
  readonly warnings: readonly string[]
}

/**
 * Precision, recall, density and coverage. They depend on the number of pictures, so as many are taken of either set: all of the smaller
 * one, and some of the other that the seed draws. Intervals resample what was found of each picture, with the neighbourhoods as they are; those of shares
 * are no narrower than so many pictures allow.
 *
 * @throws RangeError where a set has no more than k pictures
 */
export function measureNeighbours(
  real: Features,
  generated: Features,
  options: MeasureOptions,
): Record<NeighbourMeasure, Measured> {
  const { products, resampling, seed } = options
  const { n, of, warnings } = memberships(real, generated, options)
  const measured = (name: NeighbourMeasure): Measured => {
    const { set } = of[name]
    const measure = (...rows: Int32Array[]) => shareOf(of[name], rows[set])
    const resampled = resample(measure, { counts: [n, n], resampling, seed, products })
    const value = shareOf(
      of[name],
      Int32Array.from({ length: n }, (_, i) => i),
    )
    // Density counts neighbourhoods, which may be many.
    const isShare = resampled.interval !== null && name !== 'density'
    const interval = isShare ? shareInterval(value, n, resampling!.level, resampled.interval) : resampled.interval
    return { value, interval, counts: { real: n, generated: n }, warnings }
  }
  return {
    precision: measured('precision'),
    recall: measured('recall'),
    density: measured('density'),
    coverage: measured('coverage'),
  }
}

/** A measure of some rows. */
export function shareOf({ each, scale }: Memberships['of'][NeighbourMeasure], rows: Int32Array): number {
  return meanOf(each, rows) / scale
}

/** Who lies in whose neighbourhood, of as many pictures of either set. */
export function memberships(
  real: Features,
  generated: Features,
  { k, products, seed }: Pick<MeasureOptions, 'k' | 'products' | 'seed'>,
): Memberships {
  const n = Math.min(real.shape[0], generated.shape[0])
  if (n <= k) {
    throw new RangeError(
      `evaluate: precision, recall, density and coverage need more than k = ${k} pictures of either set; ` +
        `there are ${real.shape[0]} real and ${generated.shape[0]} generated ones`,
    )
  }
  const { generatedInReal, realInGenerated, neighbourhoods, covered, warnings } = precisionRecall(
    someOf(real, n, seed),
    someOf(generated, n, seed),
    { k, products },
  )
  return {
    n,
    of: {
      precision: { each: generatedInReal, set: 0, scale: 1 },
      recall: { each: realInGenerated, set: 1, scale: 1 },
      density: { each: neighbourhoods, set: 0, scale: k },
      coverage: { each: covered, set: 1, scale: 1 },
    },
    warnings,
  }
}

function someOf(features: Features, n: number, seed: number): Features {
  const [count] = features.shape
  if (count === n) return features
  return takeRows(features, permutation(randomStream(seed, 'neighbour-rows'), count).subarray(0, n).toSorted())
}

/** Mean over some rows. */
export function meanOf(each: ArrayLike<number>, rows: Int32Array): number {
  let sum = 0
  for (const row of rows) sum += each[row]
  return sum / rows.length
}
