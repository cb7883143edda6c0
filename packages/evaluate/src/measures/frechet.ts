import { type Features, frechetDistance, frechetInfinity, type Statistics, takeRows } from '@dit/metrics'
import type { Measured, MeasureOptions } from './measured.js'
import { type Cost, resample } from './resample.js'

type Set = Features | Statistics

/** The Fréchet distance of two sets with its interval. Rows of both are resampled, of statistics none. */
export function measureFrechet(real: Set, generated: Features, options: MeasureOptions): Measured {
  const { products, seed, resampling } = options
  const { distance, warnings } = frechetDistance(real, generated, { products })
  const measure = (rows: Int32Array, realRows?: Int32Array) =>
    frechetDistance(rowsOf(real, realRows), takeRows(generated, rows), { products }).distance
  const counts = countsOf(real, generated)
  const resampled = resample(measure, { counts, resampling, seed, products, cost: costOf(real, generated) })
  return {
    value: distance,
    interval: resampled.interval,
    counts: { real: countOf(real), generated: generated.shape[0] },
    warnings: [...named(warnings), ...resampled.warnings],
  }
}

/** The Fréchet distance for infinitely many samples. */
export function measureFrechetInfinity(real: Set, generated: Features, options: MeasureOptions): Measured {
  const { products, seed, resampling } = options
  const { distance, warnings } = frechetInfinity(real, generated, { products, seed })
  const measure = (rows: Int32Array, realRows?: Int32Array) =>
    frechetInfinity(rowsOf(real, realRows), takeRows(generated, rows), { products, seed }).distance
  const { products: multiply, eigenvalues } = costOf(real, generated)
  // Subsets of 15 sizes, of half the samples on average.
  const cost = { products: 8 * multiply, eigenvalues: 15 * eigenvalues }
  const resampled = resample(measure, { counts: countsOf(real, generated), resampling, seed, products, cost })
  return {
    value: distance,
    interval: resampled.interval,
    counts: { real: countOf(real), generated: generated.shape[0] },
    warnings: [...warnings, ...resampled.warnings],
  }
}

function isFeatures(set: Set): set is Features {
  return 'shape' in set
}

function rowsOf(set: Set, rows: Int32Array | undefined): Set {
  return isFeatures(set) ? takeRows(set, rows!) : set
}

function countOf(set: Set): number | null {
  return isFeatures(set) ? set.shape[0] : set.count
}

function countsOf(real: Set, { shape }: Features): number[] {
  return isFeatures(real) ? [shape[0], real.shape[0]] : [shape[0]]
}

function costOf(real: Set, { shape: [count, width] }: Features): Cost {
  const rows = count + (isFeatures(real) ? real.shape[0] : 0)
  const rank = Math.min(width, count)
  return { products: rows * width * width + width ** 3, eigenvalues: 2 * rank ** 3 }
}

/** The sets by what they are here. */
function named(warnings: readonly string[]): string[] {
  return warnings.map((text) =>
    text.replace(/^the first set has/, 'the real set has').replace(/^the second set has/, 'the generated set has'),
  )
}
