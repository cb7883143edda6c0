import { BETTER } from '@dit/evaluate'
import type { KeepBest, StepRecord } from '@dit/train-ddp'
import type { RunConfig } from '../run/run-config.js'
import { formatCount, formatNumber } from '../terminal/format.js'
import type { LoggedEvaluation, OpenEvaluation } from './open-evaluation.js'

/** How the best checkpoint of a run is found; null where none is kept. */
export function keepBestOf({ evaluation }: Pick<RunConfig, 'evaluation'>): KeepBest | null {
  const measure = evaluation?.keepBest ?? null
  return measure === null ? null : { measure, better: BETTER[measure] }
}

/** The run with what was learned of the extractor when it was opened. */
export function withEvaluation(config: RunConfig, evaluation: OpenEvaluation | null): RunConfig {
  return evaluation === null ? config : { ...config, evaluation: evaluation.config }
}

/** `evaluating 500 samples against 190 held-out pictures every 500 steps: frechet, kid (features of small)` */
export function evaluationText({ config, every, real }: OpenEvaluation): string {
  const { count, against, measures, extractor } = config
  const which = against === 'held-out' ? 'held-out pictures' : 'real pictures'
  return `evaluating ${formatCount(count)} samples against ${formatCount(real)} ${which} every ${formatCount(every)} steps: ${measures.join(', ')} (features of ${extractor})`
}

/** What a step's record says of an evaluation, or null: `frechet 12.3, kid 0.0123 (500 samples)`. */
export function measuredText(record: StepRecord): string | null {
  const evaluation = loggedEvaluation(record)
  if (evaluation === null) return null
  const values = evaluation.results.map(({ measure, value }) => `${measure} ${formatNumber(value)}`)
  return `${values.join(', ')} (${formatCount(evaluation.count)} samples)`
}

/** The evaluation of a step, as the log holds it; null where there was none. */
export function loggedEvaluation({ evaluation }: StepRecord): LoggedEvaluation | null {
  const results = (evaluation as Partial<LoggedEvaluation> | undefined)?.results
  return Array.isArray(results) ? (evaluation as unknown as LoggedEvaluation) : null
}
