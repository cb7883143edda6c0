import { checkLevel } from './checks.js'
import { fitLossLaw, type LossLawOptions, type LossTable } from './fit-loss-law.js'
import type { Interval } from './line.js'
import { studentQuantile } from './student-t.js'

/** How far runs of more compute lay from a law that was fitted to those of less. */
export interface ExtrapolationSpread {
  readonly errors: readonly {
    readonly row: number
    /** Powers of ten between the largest compute that was fitted and that of the run. */
    readonly decades: number
    /** `ln(actual / predicted)` */
    readonly error: number
  }[]
  /** Root of the mean square of `error / decades`. */
  readonly perDecade: number
}

/** Budgets are this factor apart at least: runs of one budget differ a little in their compute. */
const APART = 1.5

/**
 * Holds out the larger budgets of a table, each way that leaves a law to be fitted, and sees how far it misses them. A bootstrap knows only how runs
 * scatter about a law; here is seen whether the law itself goes wrong beyond its runs. An error is taken to grow in
 * proportion to the decades of compute (`n d`) that lie between.
 *
 * @returns null where no smaller part of the table determines a law
 */
export function extrapolationSpread(
  table: LossTable,
  { estimator }: Pick<LossLawOptions, 'estimator'> = {},
): ExtrapolationSpread | null {
  const compute = Array.from(table.n, (n, row) => n * table.d[row])
  const errors = limitsOf(compute).flatMap((limit) => {
    const rows = compute.flatMap((value, row) => (value <= limit ? [row] : []))
    const residuals = residualsOf(table, { estimator, rows })
    if (residuals === null) return []
    return compute.flatMap((value, row) =>
      value <= limit ? [] : [{ row, decades: Math.log10(value / limit), error: residuals[row] }],
    )
  })
  if (errors.length === 0) return null
  const sum = errors.reduce((total, { error, decades }) => total + (error / decades) ** 2, 0)
  return { errors, perDecade: Math.sqrt(sum / errors.length) }
}

/**
 * An interval for a run of more compute than any that a law was fitted to: what the bootstrap knows, and what held-out budgets say of the law
 * itself, added as independent errors are.
 *
 *   ln(end / loss)^2 = ln(end of the bootstrap / loss)^2 + (t(number of errors) perDecade decades)^2
 *
 * Held-out budgets miss a law for both reasons, so that the interval is rather too wide than too narrow.
 *
 * @param interval of the bootstrap; an end on the wrong side of the loss counts as the loss
 * @param decades  powers of ten between the largest compute that was fitted and that of the run; up to 0 nothing is widened
 */
export function widenedInterval(
  interval: Interval,
  loss: number,
  decades: number,
  { errors, perDecade }: ExtrapolationSpread,
  level = 0.95,
): Interval {
  checkLevel('widenedInterval', level)
  if (!(decades > 0)) return interval
  const reach = studentQuantile((1 + level) / 2, errors.length) * perDecade * decades
  const below = Math.max(0, Math.log(loss / interval.low))
  const above = Math.max(0, Math.log(interval.high / loss))
  return { low: loss * Math.exp(-Math.hypot(below, reach)), high: loss * Math.exp(Math.hypot(above, reach)) }
}

/** The largest compute of each budget but the last. */
function limitsOf(compute: readonly number[]): number[] {
  const sorted = compute.toSorted((a, b) => a - b)
  return sorted.filter((value, i) => i + 1 < sorted.length && sorted[i + 1] >= APART * value)
}

function residualsOf(table: LossTable, options: LossLawOptions): readonly number[] | null {
  try {
    return fitLossLaw(table, options).residuals
  } catch (error) {
    // Too few sizes or data.
    if (error instanceof RangeError) return null
    throw error
  }
}
