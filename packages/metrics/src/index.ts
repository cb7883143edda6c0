export {
  admArrays,
  type AdmStatistics,
  type Float64ArrayOfShape,
  readAdmStatistics,
  type StoredNumbers,
} from './adm.js'
export { authenticity, type Authenticity } from './authenticity.js'
export { bootstrapInterval, type BootstrapOptions, type Interval, type IntervalKind } from './bootstrap.js'
export { cmmd, type Cmmd, type CmmdOptions } from './cmmd.js'
export { symmetricEigenvalues } from './eigenvalues.js'
export { type Features, takeRows } from './features.js'
export { frechetInfinity, type FrechetInfinity, type FrechetInfinityOptions } from './frechet-infinity.js'
export {
  frechetDifference,
  frechetInterval,
  type FrechetInterval,
  type FrechetIntervalOptions,
} from './frechet-interval.js'
export { frechetDistance, type FrechetDistance } from './frechet-distance.js'
export {
  addClassRows,
  type ClassSums,
  classSumsScore,
  emptyClassSums,
  inceptionScore,
  type InceptionScore,
  type InceptionScoreOptions,
  mergeClassSums,
  type SplitRule,
} from './inception-score.js'
export { kernelDistance, type KernelDistance, type KernelDistanceOptions } from './kernel-distance.js'
export { type Kernel, type MmdEstimator, type MmdOptions, squaredMmd } from './squared-mmd.js'
export { addFeatures, emptyMoments, featureStatistics, mergeMoments, type Moments, statisticsOf } from './moments.js'
export { type NearestOptions, nearestRows, type NearestRows } from './nearest.js'
export { precisionRecall, type PrecisionRecall, type PrecisionRecallOptions } from './precision-recall.js'
export { type GemmSize, plainProducts, type Products } from './products.js'
export { type MapLayout, spatialFeatures } from './spatial-features.js'
export type { Statistics } from './statistics.js'
export { vendiScore, type VendiScore } from './vendi-score.js'
