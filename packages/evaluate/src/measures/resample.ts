import { bootstrapInterval, plainProducts, type Products } from '@dit/metrics'
import type { MeasureInterval } from '../evaluation.js'
import type { Resampling } from './measured.js'

/** Seconds that the resamples of one measure may take, by the rates below: no clock is read, so that results do not depend on one. */
const SECONDS = 20
/** Multiply-adds a second of products in TypeScript, of fast ones, and of the solvers of eigenvalues, on a slow core. */
const RATES = { plain: 1e9, fast: 1e10, eigenvalues: 5e8 } as const
/** With fewer resamples an interval would be mostly chance. */
const FEWEST = 20

/** What one resample costs, in multiply-adds. */
export interface Cost {
  readonly products: number
  readonly eigenvalues: number
}

/** What resamples of a measure take. */
export interface ResampleOptions {
  /** Pictures of each set that is drawn from. */
  readonly counts: readonly number[]
  readonly resampling: Resampling | null
  readonly seed: number
  readonly products: Products
  readonly cost?: Cost
}

/** An interval, and what a reader must know about it. */
export interface Resampled {
  readonly interval: MeasureInterval | null
  readonly warnings: readonly string[]
}

/**
 * Bootstrap interval of a measure of rows. Resamples repeat pictures, which shifts distances up and diversity down; what is wanted is how
 * far the value would scatter, so the resamples are shifted to have the value as their mean.
 */
export function resample(measure: (...rows: Int32Array[]) => number, options: ResampleOptions): Resampled {
  const { counts, resampling, seed } = options
  if (resampling === null) return { interval: null, warnings: [] }
  const numResamples = affordable(options, resampling.numResamples)
  if (numResamples === null) return { interval: null, warnings: [tooSlow(options)] }
  const { value, estimates } = bootstrapInterval(measure, { counts, numResamples, level: resampling.level, seed })
  return { interval: centredInterval(value, estimates, resampling.level), warnings: [] }
}

/** Quantiles of resamples, shifted so that their mean is the value. */
export function centredInterval(value: number, estimates: Float64Array, level: number): MeasureInterval {
  const sorted = estimates.toSorted()
  const mean = sorted.reduce((a, b) => a + b, 0) / sorted.length
  const at = (share: number) => {
    const place = share * (sorted.length - 1)
    const before = Math.floor(place)
    const after = Math.min(before + 1, sorted.length - 1)
    return sorted[before] + (place - before) * (sorted[after] - sorted[before]) + value - mean
  }
  const variance = sorted.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (sorted.length - 1)
  return { low: at((1 - level) / 2), high: at((1 + level) / 2), standardError: Math.sqrt(variance) }
}

/** Resamples that there is time for; null where they are too few. */
function affordable(options: ResampleOptions, wanted: number): number | null {
  const possible = Math.floor(SECONDS / secondsEach(options))
  return possible < Math.min(FEWEST, wanted) ? null : Math.min(wanted, possible)
}

function secondsEach({ products, cost = { products: 0, eigenvalues: 0 } }: ResampleOptions): number {
  const rate = products === plainProducts ? RATES.plain : RATES.fast
  return cost.products / rate + cost.eigenvalues / RATES.eigenvalues
}

function tooSlow(options: ResampleOptions): string {
  const seconds = secondsEach(options)
  const plain = options.products === plainProducts ? '; `products` of @dit/backend-cpu/float64 are faster' : ''
  return `no interval: each resample would take about ${seconds.toPrecision(2)} s${plain}`
}
