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
export { type BatchSource, rowsOf, type TrainBatch } from './batch.js'
export { DamagedCheckpointError, findCheckpoint, type FoundCheckpoint, readCounters } from './checkpoint/load.js'
export { loadCheckpointParams } from './checkpoint/load-params.js'
export { findDamage, listCheckpoints, type Manifest } from './checkpoint/manifest.js'
export { CHECKPOINT_FILES, checkpointPath, checkpointStep, MANIFEST, type TensorPart } from './checkpoint/names.js'
export { partFile } from './checkpoint/open-part.js'
export { type KeepPolicy, pruneCheckpoints } from './checkpoint/prune.js'
export type { SavedCounters, SavedParallel } from './checkpoint/counters.js'
export {
  CheckpointPartError,
  InexactResumeError,
  NonFiniteLossError,
  RunLockedError,
  type TrainEvent,
} from './events.js'
export { emaDecayAt, learningRateAt } from './learning-rate.js'
export { checkRecipe, paperRecipe, RECIPES, smallRecipe, type TrainRecipe } from './recipe.js'
export { LOG, type LogMark, logProblem, type LogWriter, openLog, parseLog, type StepRecord } from './run/log.js'
export { memoryRunStore } from './run/memory-store.js'
export type { FileRecord, RunStore, TensorSource } from './run/run-store.js'
export { train, type TrainOptions } from './train.js'
