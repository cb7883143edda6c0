import { checkColumns, numDifferent } from './checks.js'
import { fitIsoFlop } from './iso-flop.js'
import type { Interval } from './line.js'

/** Losses of short trainings of a few sizes, each with several learning rates. */
export interface RateTable {
  /** Hidden sizes, or whatever the rule shall go by. */
  readonly hidden: ArrayLike<number>
  readonly rate: ArrayLike<number>
  readonly loss: ArrayLike<number>
}

/** A learning rate for every size: `rate (hidden / atHidden)^power`. */
export interface RateRule {
  readonly rate: number
  /** The geometric mean of the sizes, where the rule is most certain. */
  readonly atHidden: number
  readonly power: number
  /** Student-t interval of the power; null with two sizes. */
  readonly powerInterval: Interval | null
  /** The best rate of each size, by its parabola. */
  readonly best: readonly { readonly hidden: number; readonly rate: number; readonly isInside: boolean }[]
  readonly warnings: readonly string[]
}

/**
 * One learning-rate rule across sizes: for each size the vertex of a parabola of the loss in log10 of the rate, through the best rate and its
 * two neighbours, and a line through the vertices in logarithms. Rates further away are left out: above a certain rate the loss rises as from
 * a cliff, and a parabola through all of them has its vertex too low.
 *
 * @throws RangeError with fewer than 2 sizes, a size with fewer than 3 rates, or one whose loss has no minimum over its rates
 */
export function fitRateRule({ hidden, rate, loss }: RateTable): RateRule {
  checkColumns('fitRateRule', { hidden, rate, loss })
  const sizes = [...new Set(Array.from(hidden))].toSorted((a, b) => a - b)
  if (sizes.length < 2) throw new RangeError(`fitRateRule: a rule needs two sizes; there is ${sizes.length}`)
  for (const size of sizes) {
    const rates = numDifferent(Array.from(rate).filter((_, row) => hidden[row] === size))
    if (rates < 3) throw new RangeError(`fitRateRule: hidden ${size} needs 3 learning rates; it has ${rates}`)
  }
  const { parabolas, exponentN, interval, interceptN } = orSize(() =>
    fitIsoFlop(nearBest({ hidden, rate, loss }, sizes)),
  )
  const atHidden = Math.exp(sizes.reduce((sum, size) => sum + Math.log(size), 0) / sizes.length)
  const best = parabolas.map(({ compute, nOpt, isInside }) => ({ hidden: compute, rate: nOpt, isInside }))
  const outside = best.filter(({ isInside }) => !isInside)
  return {
    rate: 10 ** (interceptN + exponentN * Math.log10(atHidden)),
    atHidden,
    power: exponentN,
    powerInterval: interval,
    best,
    warnings: [
      ...(outside.length === 0
        ? []
        : [
            `the best rate of hidden ${outside.map((each) => each.hidden).join(', ')} lies outside those that were tried: try ${outside.some((each) => each.rate > Math.max(...Array.from(rate))) ? 'larger' : 'others'}`,
          ]),
      ...(interval !== null && interval.low <= 0 && interval.high >= 0
        ? ['the interval of the power holds 0: whether the best rate depends on the size is not known']
        : []),
      ...(sizes.length < 3 ? ['two sizes: a line passes through both, and the rule has no interval'] : []),
    ],
  }
}

/** Rows at the best rate of each size and at its neighbours; at the end of the rates, at the last three. */
function nearBest({ hidden, rate, loss }: RateTable, sizes: readonly number[]) {
  const rows = Array.from(rate, (_, row) => row)
  const kept = sizes.flatMap((size) => {
    const ofSize = rows.filter((row) => hidden[row] === size)
    const rates = [...new Set(ofSize.map((row) => rate[row]))].toSorted((a, b) => a - b)
    const mean = (each: number) => average(ofSize.filter((row) => rate[row] === each).map((row) => loss[row]))
    const best = rates.reduce((least, each, i) => (mean(each) < mean(rates[least]) ? i : least), 0)
    const first = Math.min(Math.max(0, best - 1), rates.length - 3)
    const near = new Set(rates.slice(first, first + 3))
    return ofSize.filter((row) => near.has(rate[row]))
  })
  const column = (values: ArrayLike<number>) => kept.map((row) => values[row])
  return { compute: column(hidden), n: column(rate), loss: column(loss) }
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Errors of a parabola in terms of sizes and rates. */
function orSize<T>(fit: () => T): T {
  try {
    return fit()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const size = /budget (\S+) has no minimum/.exec(error.message)?.[1]
    if (size === undefined) throw error
    throw new RangeError(
      `fitRateRule: the loss of hidden ${Number(size)} has no minimum over its learning rates; try smaller and larger ones`,
      { cause: error },
    )
  }
}
