export {
  CommunicationError,
  type Communicator,
  type DirectCollectives,
  type Floats,
  type Numbers,
  onRankZero,
  RankZeroError,
  sharedText,
  singleCommunicator,
  type Traffic,
  type Transfer,
} from '@dit/collectives'
export {
  type BatchArray,
  type BatchSource,
  batchTensor,
  pictureBatch,
  rowsOf,
  sliceBatch,
  type TrainBatch,
  wholeBatches,
} from './batch.js'
export { BEST_FILE, type BestCheckpoint, type KeepBest, readBest } from './checkpoint/best.js'
export type { SavedCounters, SavedOptimizer, SavedParallel } from './checkpoint/counters.js'
export { DamagedCheckpointError, findCheckpoint, type FoundCheckpoint, readCounters } from './checkpoint/load.js'
export { loadCheckpointParams } from './checkpoint/load-params.js'
export { findDamage, listCheckpoints, type Manifest } from './checkpoint/manifest.js'
export { CHECKPOINT_FILES, checkpointPath, checkpointStep, MANIFEST, type TensorPart } from './checkpoint/names.js'
export { partFile } from './checkpoint/open-part.js'
export { type KeepPolicy, pruneCheckpoints } from './checkpoint/prune.js'
export type { DetailedMeasures, Evaluate, Measures } from './evaluate.js'
export {
  CheckpointPartError,
  InexactResumeError,
  NonFiniteLossError,
  RunLockedError,
  type TrainEvent,
} from './events.js'
export { emaDecayAt, learningRateAt } from './learning-rate.js'
export {
  classConditional,
  denoising,
  type DenoisingObjective,
  type DenoisingOptions,
  type DenoisingSpec,
  type TimestepSampler,
} from './objective/denoising.js'
export {
  type CompleteProcess,
  completeProcess,
  type FlowProcessSpec,
  type GaussianProcessSpec,
  type OwnProcess,
  processFromSpec,
  type ProcessSpec,
} from './objective/process-spec.js'
export { type ConditionalDiT, conditionalDiT, withPrompts } from './objective/conditional-dit.js'
export { dit, type DiTSpec, ditWithBlock, type DiTWithBlockSpec } from './objective/dit.js'
export {
  type FromSpecOptions,
  isKnownSpec,
  type KnownSpec,
  objectiveFromSpec,
  specFromVersion1,
  type Version1,
} from './objective/from-spec.js'
export { type HeldOutMeasures, type HeldOutOptions, heldOutMeasures } from './objective/held-out.js'
export {
  distillation,
  type DistillationObjective,
  type DistillationOptions,
  type DistillationSpec,
} from './objective/distillation.js'
export { type StudentConditions, studentDiT } from './objective/student-dit.js'
export { lowRank, type LowRankNetwork, type LowRankOptions, type LowRankSpec } from './objective/low-rank.js'
export { type ClassConditions, defineNetwork, type Network } from './objective/network.js'
export {
  defineObjective,
  type Drawn,
  type Objective,
  type ParameterSpec,
  type ParameterTable,
  type Place,
} from './objective/objective.js'
export { adamw, type AdamWOptions } from './optimizer/adamw.js'
export type { Average } from './optimizer/averages.js'
export { type EmaCourse, emaCourseAt } from './optimizer/ema-course.js'
export type { ParameterGroup } from './optimizer/groups.js'
export { muon, type MuonOptions } from './optimizer/muon.js'
export type { FoldedAverage, Optimizer, OptimizerStep, OptimizerTensors } from './optimizer/optimizer.js'
export {
  exponentOfWidth,
  posthocFactors,
  powerDecay,
  powerProfile,
  type StoredAverage,
  widthOfExponent,
} from './optimizer/power-average.js'
export { chosenParameters, trainOnly } from './optimizer/train-only.js'
export type { TrainOptions } from './options.js'
export { shareParams } from './parallel/share-params.js'
export { checkRecipe, paperRecipe, picturesRecipe, RECIPES, smallRecipe, type TrainRecipe } from './recipe.js'
export { LOG, type LogMark, logProblem, type LogWriter, openLog, parseLog, type StepRecord } from './run/log.js'
export { memoryRunStore } from './run/memory-store.js'
export type { FileRecord, RunStore, TensorSource } from './run/run-store.js'
export { train } from './train.js'
