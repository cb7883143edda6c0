import type { Evaluation } from './evaluation.js'
import type { SideFeatures, SideStatistics } from './measures/measured.js'

/** What an evaluation measured on: two of them can be compared pair by pair. */
export interface EvaluationRows {
  readonly generated: SideFeatures
  readonly real: SideFeatures | SideStatistics
  /** Class of each sample by its name; null where classes are not known. */
  readonly classes: readonly string[] | null
  /** 1 for each sample that is no copy; null where that was not measured. */
  readonly authentic: Uint8Array | null
}

/** An evaluation with its rows. */
export interface EvaluationWithRows {
  readonly evaluation: Evaluation
  readonly rows: EvaluationRows
}
