export type { CountedNetwork, CountedParameter, Group, Layer, NetworkSizes } from './counted-network.js'
export {
  bootstrapLossLaw,
  type BootstrapLawOptions,
  type LawQuantity,
  type LossLawBootstrap,
} from './fit/bootstrap-law.js'
export { type Envelope, type EnvelopePoint, type LearningCurve, learningEnvelope } from './fit/envelope.js'
export { type Extrapolation, heldOutExtrapolation, type HeldOutRun } from './fit/extrapolation.js'
export { type ExtrapolationSpread, extrapolationSpread, widenedInterval } from './fit/extrapolation-spread.js'
export { fitLossLaw, type LossLawFit, type LossLawOptions, type LossTable } from './fit/fit-loss-law.js'
export { fitIsoFlop, type IsoFlopFit, type IsoFlopParabola, type IsoFlopTable } from './fit/iso-flop.js'
export type { Estimator } from './fit/law-objective.js'
export { correlation, type Interval } from './fit/line.js'
export {
  allocateCompute,
  type Allocation,
  type Candidate,
  type CandidateOutcome,
  computeForLoss,
  type LossLaw,
  lossAt,
  rankCandidates,
  sizeExponent,
} from './fit/loss-law.js'
export { fitPowerLaw, type PowerLawFit, type Prediction } from './fit/power-law.js'
export { PUBLISHED_LAWS, type PublishedLaw } from './fit/published-laws.js'
export { fitRateRule, type RateRule, type RateTable } from './fit/rate-rule.js'
export { fitSaturatingPowerLaw, type SaturatingFit } from './fit/saturating-power-law.js'
export { type ScalingRun, type ScreenedRuns, screenRuns } from './fit/screen-runs.js'
export { studentQuantile } from './fit/student-t.js'
export { memoryBytes, type MemoryEstimate, type MemoryOptions } from './memory.js'
export { countMultiplyAdds, type MultiplyAddCount } from './multiply-adds.js'
export { type BlockCount, countParameters, type ParameterCount } from './parameters.js'
export { planMemory, type TrainingPlan, type WorkerMemory, type ZeroStage } from './plan.js'
