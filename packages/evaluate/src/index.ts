export { compareEvaluations, type CompareOptions } from './compare.js'
export type { Comparison, MeasureDifference } from './comparison.js'
export { type ChanceCopies, chanceCopies } from './copies/chance-copies.js'
export type { EncodePng } from './copies/png-url.js'
export { computeShare, evaluate, evaluateWithRows } from './evaluate.js'
export type {
  ClassResult,
  Evaluation,
  MeasureFloor,
  MeasureInterval,
  MeasureResult,
  Memorisation,
  NearestPictures,
  SetDescription,
} from './evaluation.js'
export { featuresOf, type FeaturesOf, type FeaturesOfOptions } from './features-of.js'
export type { SideFeatures, SideStatistics } from './measures/measured.js'
export { BETTER, MEASURES, type MeasureName, USUAL_MEASURES } from './measures/names.js'
export type { EvaluateOptions, Generated, RealData, ReferenceStatistics, Stage } from './options.js'
export { readingOf } from './reading.js'
export type { EvaluationRows, EvaluationWithRows } from './rows.js'
export type { DrawnBatch, DrawnPicture, EvaluatedPipeline, SamplingRequest } from './sets/drawn-set.js'
export type { Share } from './sets/extract-set.js'
export { type FeatureStore, memoryStore, type StoredNumbers } from './sets/feature-store.js'
export type { LabelledPictures, PictureSource, SetName } from './sets/picture-set.js'
export { comparisonPage, type ComparisonPageOptions } from './report/comparison-page.js'
export { evaluationPage, type EvaluationPageOptions } from './report/evaluation-page.js'
export {
  type RunEvaluation,
  type RunGrid,
  runPage,
  type RunPageOptions,
  type RunRecord,
  type RunReport,
} from './report/run-page.js'
