import type { Evaluation, MeasureInterval, SetDescription } from './evaluation.js'

/** A measure of two evaluations, and how they differ. */
export interface MeasureDifference {
  readonly measure: string
  readonly title: string
  readonly first: number
  readonly second: number
  /** second - first */
  readonly difference: number
  /** Of the difference; null where there is none, which `warnings` explains. */
  readonly interval: MeasureInterval | null
  readonly better: 'less' | 'more'
  /** Which of them is better, where the interval leaves 0 out; else null. */
  readonly winner: 'first' | 'second' | null
  readonly warnings: readonly string[]
}

/** Two evaluations side by side, as JSON holds it. */
export interface Comparison {
  readonly format: 'dit-comparison'
  readonly version: 1
  readonly first: SetDescription
  readonly second: SetDescription
  readonly real: SetDescription
  readonly extractor: Evaluation['extractor']
  /** Sample i of either set has the same seed, class and place, so that resamples take the same rows of both. */
  readonly isPaired: boolean
  readonly intervals: Evaluation['intervals']
  readonly measures: readonly MeasureDifference[]
  readonly warnings: readonly string[]
}
