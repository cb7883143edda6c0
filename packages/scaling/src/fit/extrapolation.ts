import { bootstrapLossLaw, type BootstrapLawOptions, type LossLawBootstrap } from './bootstrap-law.js'
import type { LossTable } from './fit-loss-law.js'
import type { Interval } from './line.js'

/** What a law of other runs says of a run, and what came. */
export interface HeldOutRun {
  /** Row of the table. */
  readonly row: number
  readonly predicted: number
  /** In which a run should lie. */
  readonly interval: Interval
  readonly actual: number
  /** `ln(actual / predicted)` */
  readonly error: number
  readonly isInside: boolean
}

/** How well a law predicts runs that it was not fitted to. */
export interface Extrapolation {
  readonly bootstrap: LossLawBootstrap
  readonly runs: readonly HeldOutRun[]
  /** Root of the mean square of the errors. */
  readonly error: number
  readonly numInside: number
}

/**
 * Fits a law to some rows of a table, and compares what it says of the others with what came: the honest test of a law that will be
 * extrapolated.
 *
 * @param isHeldOut  whether a row is kept from the fit, such as the runs of the largest budget
 * @throws RangeError where no row is held out, or the others determine no law
 */
export function heldOutExtrapolation(
  table: LossTable,
  isHeldOut: (row: number) => boolean,
  options: Omit<BootstrapLawOptions, 'rows'> = {},
): Extrapolation {
  const rows = Array.from(table.n, (_, row) => row)
  const held = rows.filter((row) => isHeldOut(row))
  const fitted = rows.filter((row) => !isHeldOut(row))
  if (held.length === 0) throw new RangeError('heldOutExtrapolation: at least one row must be held out')
  const take = (values: ArrayLike<number>) => fitted.map((row) => values[row])
  const bootstrap = bootstrapLossLaw({ n: take(table.n), d: take(table.d), loss: take(table.loss) }, options)
  const runs = held.map((row): HeldOutRun => {
    const { loss: predicted, run: interval } = bootstrap.predict(table.n[row], table.d[row])
    const actual = table.loss[row]
    const isInside = actual >= interval.low && actual <= interval.high
    return { row, predicted, interval, actual, error: Math.log(actual / predicted), isInside }
  })
  return {
    bootstrap,
    runs,
    error: Math.sqrt(runs.reduce((sum, { error }) => sum + error ** 2, 0) / runs.length),
    numInside: runs.filter(({ isInside }) => isInside).length,
  }
}
