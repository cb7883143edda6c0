import type { MeasureResult } from '@dit/evaluate'
import type { StepRecord } from '@dit/train-ddp'
import { loggedEvaluation } from '../in-training/evaluation-text.js'

/** A measure of samples over the steps of a run. */
export interface EvaluatedSeries {
  readonly measure: string
  readonly title: string
  readonly better: 'less' | 'more'
  readonly steps: readonly number[]
  readonly values: readonly number[]
  readonly intervals: readonly MeasureResult['interval'][]
}

/** What the evaluations of a run have measured, a series for each measure, in the order in which they were first measured. */
export function evaluatedSeries(records: readonly StepRecord[]): EvaluatedSeries[] {
  const all = records.flatMap((record) => {
    const results = loggedEvaluation(record)?.results ?? []
    return results.map((result) => ({ step: record.step, ...result }))
  })
  return [...new Set(all.map(({ measure }) => measure))].map((measure) => {
    const own = all.filter((result) => result.measure === measure)
    const { title, better } = own[0]
    return {
      measure,
      title,
      better,
      steps: own.map(({ step }) => step),
      values: own.map(({ value }) => value),
      intervals: own.map(({ interval }) => interval),
    }
  })
}

/** Place of the best value of a series; the first of equal ones. */
export function bestOf({ values, better }: Pick<EvaluatedSeries, 'values' | 'better'>): number {
  return values.indexOf(better === 'less' ? Math.min(...values) : Math.max(...values))
}

/** What makes values of two runs comparable, in words: the extractor, the samples and the real pictures. */
export function evaluationKind(records: readonly StepRecord[]): string | null {
  const evaluation = records.map(loggedEvaluation).findLast((found) => found !== null)
  if (evaluation === undefined || evaluation === null) return null
  const { extractor, sampling, count, real, against } = evaluation
  const how = Object.entries(sampling)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name} ${String(value)}`)
  const features = `features ${extractor.layer} of ${extractor.name} (${extractor.fingerprint.slice(0, 12)})`
  return [`${count} samples against ${real} ${against === 'all' ? 'real' : against} pictures`, features, ...how].join(
    ', ',
  )
}
