import { integers, randomStream } from '@dit/random'
import { checkLevel } from './checks.js'
import { fitLossLaw, type LossLawFit, type LossLawOptions, type LossTable, refitter } from './fit-loss-law.js'
import type { Estimator } from './law-objective.js'
import type { Interval } from './line.js'
import { type LossLaw, lossAt } from './loss-law.js'
import { studentQuantile } from './student-t.js'

/** Options of `bootstrapLossLaw`. */
export interface BootstrapLawOptions extends Pick<LossLawOptions, 'estimator'> {
  /** Resamples, each a list of rows; in place of `numResamples` and `seed`. */
  readonly rows?: readonly ArrayLike<number>[]
  /** Default: 200. */
  readonly numResamples?: number
  /** Names the resamples. Default: 0. */
  readonly seed?: number
  /** Share of the intervals. Default: 0.95. */
  readonly level?: number
  /**
   * `percentile`: between quantiles of the resamples. `expanded`: these moved away from the median, which makes up for the parameters that
   * were fitted. Default: `percentile` for Huber's loss, whose resamples scatter widely enough, and `expanded` for squares.
   */
  readonly kind?: 'percentile' | 'expanded'
}

/** Numbers of a law that have an interval. */
export type LawQuantity = keyof LossLaw | 'exponentN'

/** A fit with what resamples say of its uncertainty. */
export interface LossLawBootstrap {
  readonly fit: LossLawFit
  readonly intervals: Readonly<Record<LawQuantity, Interval>>
  /** The law of each resample. */
  readonly laws: readonly LossLaw[]
  /** What was made small, of each resample. */
  readonly objectives: readonly number[]
  /** Drawn resamples that determine no law and were drawn again; many of them say that the table is too small. */
  readonly numRefused: number
  readonly warnings: readonly string[]
  /** Why nothing should be extrapolated from the fit; empty if nothing speaks against it. */
  readonly doubts: readonly string[]
  /** Loss of a new run with the interval in which it lies: of the law, and of one run about it. */
  readonly predict: (n: number, d: number) => { readonly loss: number; readonly law: Interval; readonly run: Interval }
}

const QUANTITIES: readonly LawQuantity[] = ['E', 'A', 'B', 'alpha', 'beta', 'exponentN']
const NUM_PARAMETERS = 5
/** Of an interval, over the exponent itself. */
const WIDEST = 0.5

/**
 * Bootstrap of `fitLossLaw`: rows are drawn with replacement, and the law is fitted again.
 *
 * Percentile intervals of squares are too narrow for small tables, since a resample scatters about its fit by less than the runs do about the truth. The
 * expanded ones move both quantiles away from the median by
 *
 *   t(count - 5) / z  *  sqrt(count / (count - 5))
 *
 * @throws RangeError where `fitLossLaw` does, for given rows as well, or fewer than 2 resamples
 *
 * Efron & Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13; Hesterberg 2015, "What Teachers Should Know About the
 * Bootstrap", section 5.3, for the expansion.
 */
export function bootstrapLossLaw(
  table: LossTable,
  {
    estimator,
    rows,
    numResamples = 200,
    seed = 0,
    level = 0.95,
    kind = usualKind(estimator),
  }: BootstrapLawOptions = {},
): LossLawBootstrap {
  checkLevel('bootstrapLossLaw', level)
  if (kind !== 'percentile' && kind !== 'expanded')
    throw new RangeError(`bootstrapLossLaw: kind must be percentile or expanded; it is ${String(kind)}`)
  const count = rows?.length ?? numResamples
  if (!Number.isInteger(count) || count < 2)
    throw new RangeError(`bootstrapLossLaw: there must be at least 2 resamples; there are ${count}`)
  const fit = fitLossLaw(table, { estimator })
  const { fits, numRefused } =
    rows === undefined
      ? drawnFits(table, fit, numResamples, seed)
      : { fits: rows.map(refitter(table, fit)), numRefused: 0 }
  const laws = fits.map(({ law }) => law)
  const stretch = kind === 'expanded' ? expansion(table.n.length, level) : 1
  const intervalOf = (values: readonly number[]) => quantileInterval(values, level, stretch)
  const of = (each: LossLawFit, name: LawQuantity) => (name === 'exponentN' ? each.exponentN : each.law[name])
  const intervals = Object.fromEntries(
    QUANTITIES.map((name) => {
      const interval = intervalOf(fits.map((each) => of(each, name)))
      // A share: moved out, its quantile could pass 1.
      return [name, name === 'exponentN' ? { ...interval, high: Math.min(interval.high, 1) } : interval]
    }),
  ) as Record<LawQuantity, Interval>
  const refused =
    numRefused > count / 10
      ? [
          `${numRefused} resamples determine no law and were drawn again: the table is too small for its intervals to be trusted`,
        ]
      : []
  return {
    fit,
    intervals,
    laws,
    objectives: fits.map(({ objective }) => objective),
    numRefused,
    warnings: [...fit.warnings, ...refused],
    doubts: doubtsOf(fit, intervals, refused),
    predict(n, d) {
      const loss = lossAt(fit.law, n, d)
      const scatter = scatterOf(fit, table.n.length)
      const spread = laws.map((law) => lossAt(law, n, d))
      const ofLaw = intervalOf(spread)
      // A run lies about the law as the table's runs do: each resample's law with each residual.
      const runs = spread.flatMap((value) => scatter.map((factor) => value * factor))
      return { loss, law: ofLaw, run: intervalOf(runs) }
    },
  }
}

/** What comes nearest to its level over simulated tables. */
function usualKind(estimator: Estimator = 'huber'): 'percentile' | 'expanded' {
  return estimator === 'huber' ? 'percentile' : 'expanded'
}

/** Refits of drawn resamples; those that determine no law are drawn again. */
function drawnFits(
  table: LossTable,
  fit: LossLawFit,
  numResamples: number,
  seed: number,
): { fits: LossLawFit[]; numRefused: number } {
  const count = table.n.length
  const refit = refitter(table, fit)
  const fits: LossLawFit[] = []
  let numRefused = 0
  for (let draw = 0; fits.length < numResamples; draw++) {
    if (draw === 20 * numResamples)
      throw new RangeError('bootstrapLossLaw: hardly any resample of the table determines a law; it has too few runs')
    const rows = integers(randomStream(seed, 'loss-law', draw), count, count)
    try {
      fits.push(refit(rows))
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      numRefused++
    }
  }
  return { fits, numRefused }
}

/** How far the quantiles of a resampled fit move out; 1 for large tables. */
function expansion(count: number, level: number): number {
  const degrees = count - NUM_PARAMETERS
  const normal = studentQuantile((1 + level) / 2, 1e9)
  return (studentQuantile((1 + level) / 2, degrees) / normal) * Math.sqrt(count / degrees)
}

/** Quantiles of numbers above 0, moved out in their logarithms, so that they stay above 0. */
function quantileInterval(values: readonly number[], level: number, stretch: number): Interval {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, middle, high] = [(1 - level) / 2, 0.5, (1 + level) / 2].map((share) => quantile(sorted, share))
  if (stretch === 1) return { low, high }
  return { low: middle * (low / middle) ** stretch, high: middle * (high / middle) ** stretch }
}

/** Of ascending numbers, interpolated linearly. */
export function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1)
  const before = Math.floor(place)
  const after = Math.min(before + 1, sorted.length - 1)
  return sorted[before] + (place - before) * (sorted[after] - sorted[before])
}

/** Factors by which runs lie about the law, enlarged for the parameters that were fitted to them. */
function scatterOf({ residuals }: LossLawFit, count: number): number[] {
  const stretch = Math.sqrt(count / (count - NUM_PARAMETERS))
  return residuals.map((residual) => Math.exp(residual * stretch))
}

function doubtsOf(
  fit: LossLawFit,
  intervals: Readonly<Record<LawQuantity, Interval>>,
  refused: readonly string[],
): string[] {
  const wide = (['alpha', 'beta'] as const)
    .map((name) => ({ name, width: (intervals[name].high - intervals[name].low) / Math.abs(fit.law[name]) }))
    .filter(({ width }) => !(width < WIDEST))
    .map(({ name, width }) => {
      const { low, high } = intervals[name]
      return `the interval of ${name}, ${low.toPrecision(2)} to ${high.toPrecision(2)}, is ${Math.round(100 * width)} % as wide as ${name} itself`
    })
  const flat = (['alpha', 'beta'] as const)
    .filter((name) => fit.law[name] > 0 && intervals[name].low <= 0)
    .map(
      (name) => `the interval of ${name} reaches ${intervals[name].low.toPrecision(2)}: perhaps the loss does not fall`,
    )
  const { low, high } = intervals.exponentN
  const vague =
    high - low >= WIDEST
      ? [`the interval of exponentN, ${low.toPrecision(2)} to ${high.toPrecision(2)}, covers half its range`]
      : []
  return [...fit.warnings, ...refused, ...wide, ...flat, ...vague]
}
