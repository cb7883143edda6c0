export {
  HELD_OUT_SNRS,
  type HeldOutBatch,
  type HeldOutError,
  heldOutErrors,
  type HeldOutLevel,
  summariseHeldOut,
} from './held-out-error.js'
export {
  type Denoise,
  type Denoised,
  denoiser,
  type DenoiserOptions,
  type Noised,
  type PredictAt,
  type Prediction,
  readPrediction,
} from './denoiser.js'
export {
  type DistillationBatch,
  distillationLosses,
  type DistillationLosses,
  x0OfStep,
} from './distillation/distillation-losses.js'
export { distilledPath } from './distillation/distilled-path.js'
export type { DistilledSteps } from './distillation/distilled-steps.js'
export { type X0Factors, x0Factors } from './distillation/x0-factors.js'
export { addFlowNoise, type FlowBatch, type FlowLosses, flowLosses } from './flow/flow-losses.js'
export {
  type FlowMatching,
  flowMatching,
  type FlowMatchingOptions,
  type FlowPredictionType,
} from './flow/flow-matching.js'
export { flowProcess, type FlowProcess } from './flow/flow-process.js'
export { flowWeight, type FlowWeighting } from './flow/flow-weight.js'
export { scoreOf, velocityOf } from './velocity-and-score.js'
export {
  type DenoiseAtSigma,
  denoiseAtLevels,
  preconditioned,
  type PreconditionedOptions,
} from './edm/preconditioned.js'
export { type SigmaBatch, sigmaLosses } from './edm/sigma-losses.js'
export { addNoise, noisedMeanVariance } from './gaussian/add-noise.js'
export { type Bound, type BoundOptions, boundOverSteps, type BoundNoise, priorBits } from './gaussian/bound.js'
export { discretisedGaussianLogLikelihood } from './gaussian/discretised-gaussian.js'
export {
  type GaussianDiffusion,
  gaussianDiffusion,
  type GaussianDiffusionOptions,
  type LossType,
  type MeanType,
  originalTimesteps,
  type Predict,
  type VarianceType,
} from './gaussian/gaussian-diffusion.js'
export { gaussianPath, gaussianProcess, type GaussianProcess } from './gaussian/gaussian-process.js'
export type { Process, ProcessBatch } from './process.js'
export {
  type CompleteProcess,
  completeProcess,
  type FlowProcessSpec,
  type GaussianProcessSpec,
  gaussianOptions,
  isFlow,
  processFromSpec,
  type ProcessSpec,
} from './process-spec.js'
export {
  type DenoisingOptions,
  modelMeanVariance,
  type ModelMeanVariance,
  type NoisyBatch,
  noiseFromX0,
  x0FromNoise,
} from './gaussian/model-mean-variance.js'
export { type LogNormal, type MeanVariance, normalKl } from './gaussian/normal.js'
export { perSample } from './gaussian/per-sample.js'
export { posterior } from './gaussian/posterior.js'
export { type TrainingBatch, type TrainingLosses, trainingLosses } from './gaussian/training-losses.js'
export { type KnownBatch, variationalTerm } from './gaussian/variational-term.js'
