import { integers, randomStream } from '@dit/random'
import { deviationOf, meanOf } from './mean.js'

/**
 * How an interval is made of the quantiles of resamples.
 *
 * - `percentile`: it lies between them
 * - `centred`: they are shifted so that the mean of the resamples is the value, since repeated rows shift some measures, FID above all
 * - `basic`: they are mirrored about the value, which takes such a shift away from the value as well
 */
export type IntervalKind = 'percentile' | 'centred' | 'basic'

/** Options of `bootstrapInterval`. */
export interface BootstrapOptions {
  /** Number of samples of each set. */
  readonly counts: readonly number[]
  /** Default: 1000. */
  readonly numResamples?: number
  /** Share of resamples that the interval spans. Default: 0.95. */
  readonly level?: number
  /** Default: `percentile`. */
  readonly kind?: IntervalKind
  /** Names the resamples: equal seeds and counts give equal rows, so that two measures can be paired. Default: 0. */
  readonly seed?: number
}

/** A bootstrap interval. */
export interface Interval {
  /** The measure of the sets as they are. */
  readonly value: number
  readonly low: number
  readonly high: number
  /** Standard deviation over the resamples. */
  readonly standardError: number
  /** The measure of each resample, ascending. */
  readonly estimates: Float64Array
}

/**
 * Bootstrap interval of any measure: it is computed again on samples that are drawn with replacement, from each set by itself.
 *
 * Quantiles are interpolated linearly. A duplicate counts as a neighbour at distance 0, so for measures of neighbours resample
 * what they found of each sample (`generatedInReal`, say), not the features.
 *
 * The difference of two models against the same real pictures is one measure of three sets: `(real, one, other) => ...` with three
 * counts. What both owe to the real pictures then cancels, as it should.
 *
 * @param measure  of rows of each set, in the order of `counts`
 * @throws RangeError for an empty set, fewer than 2 resamples, or a measure that gives no finite number
 *
 * Efron & Tibshirani 1993, "An Introduction to the Bootstrap", chapters 13 and 14.
 */
export function bootstrapInterval(
  measure: (...rows: Int32Array[]) => number,
  { counts, numResamples = 1000, level = 0.95, kind = 'percentile', seed = 0 }: BootstrapOptions,
): Interval {
  if (counts.length === 0 || counts.some((count) => !Number.isInteger(count) || count < 1))
    throw new RangeError(`bootstrapInterval: each set needs at least one sample; counts are [${counts.join(', ')}]`)
  if (!Number.isInteger(numResamples) || numResamples < 2)
    throw new RangeError(`bootstrapInterval: numResamples must be an integer of at least 2; it is ${numResamples}`)
  if (!(level > 0 && level < 1))
    throw new RangeError(`bootstrapInterval: level must lie between 0 and 1; it is ${level}`)
  if (!['percentile', 'centred', 'basic'].includes(kind))
    throw new RangeError(`bootstrapInterval: kind must be percentile, centred or basic; it is ${kind}`)
  const evaluate = (which: string, rows: Int32Array[]) => {
    const value = measure(...rows)
    if (!Number.isFinite(value))
      throw new RangeError(`bootstrapInterval: the measure of ${which} must be finite; it is ${value}`)
    return value
  }
  const value = evaluate(
    'the sets',
    counts.map((count) => Int32Array.from({ length: count }, (_, i) => i)),
  )
  const estimates = Float64Array.from({ length: numResamples }, (_, resample) =>
    evaluate(
      `resample ${resample}`,
      counts.map((count, set) => integers(randomStream(seed, 'bootstrap', set, resample), count, count)),
    ),
  ).toSorted()
  const [below, above] = [quantile(estimates, (1 - level) / 2), quantile(estimates, (1 + level) / 2)]
  const standardError = deviationOf(estimates, numResamples - 1)
  const [low, high] = endsOf(kind, value, below, above, meanOf(estimates))
  return { value, low, high, standardError, estimates }
}

function endsOf(kind: IntervalKind, value: number, below: number, above: number, mean: number): [number, number] {
  if (kind === 'basic') return [2 * value - above, 2 * value - below]
  const shift = kind === 'centred' ? value - mean : 0
  return [below + shift, above + shift]
}

/** Of ascending numbers, interpolated linearly. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1)
  const before = Math.floor(place)
  const after = Math.min(before + 1, sorted.length - 1)
  return sorted[before] + (place - before) * (sorted[after] - sorted[before])
}
