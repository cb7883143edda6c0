import type { Interval } from '@dit/scaling'
import { UsageError } from '../terminal/errors.js'
import { formatNumber, formatQuantity, formatTable } from '../terminal/format.js'
import type { Analysis } from './analysis.js'
import { intervalText } from './fit-report.js'
import type { PlannedRun } from './grid-runs.js'
import type { SizeKind } from './row.js'

/** What a law predicts of a run that is not trained yet. */
export interface Prediction {
  readonly name: string
  readonly n: number
  readonly d: number
  readonly compute: number
  readonly loss: number
  /** In which the loss of the run should lie. */
  readonly interval: Interval
}

/**
 * The losses of those runs of a grid that the law was not fitted to.
 *
 * @param fitted names of the runs that it was fitted to
 * @throws UsageError where all runs were, or one has no size of this kind
 */
export function predictionsOf(
  { predict, size }: Pick<Analysis, 'predict' | 'size'>,
  runs: readonly PlannedRun[],
  fitted: ReadonlySet<string>,
): Prediction[] {
  const open = runs.filter(({ name }) => !fitted.has(name))
  if (open.length === 0)
    throw new UsageError('--predict: the law is fitted to all runs of this grid; add budgets or models to predict')
  return open.map(({ name, params, multiplyAdds, batchSize, compute, flags }) => {
    const n = size === 'params' ? params : multiplyAdds
    if (n === null) throw new UsageError(`--predict: the parameters of ${name} are not known; use --size multiply-adds`)
    const d = flags.steps * batchSize
    const { loss, interval } = predict(n, d)
    return { name, n, d, compute, loss, interval }
  })
}

/** Predictions, for the user to read. */
export function predictionLines(predictions: readonly Prediction[], size: SizeKind, percent: string): string[] {
  return [
    '',
    `predicted for ${predictions.length} run${predictions.length === 1 ? '' : 's'}`,
    ...formatTable([
      ['  run', size, 'examples', 'loss', `${percent} of runs`],
      ...predictions.map(({ name, n, d, loss, interval }) => [
        `  ${name}`,
        formatQuantity(n),
        formatQuantity(d),
        formatNumber(loss),
        intervalText(interval),
      ]),
    ]),
  ]
}
