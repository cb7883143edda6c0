export * from '../index.js'
export { cast, type DTypeName, dtypeName, DTYPES, STORED } from './cast.js'
export { openStart, START_FILE } from './open-adapted.js'
export { findPretrained, type ResolveFrom } from './find-pretrained.js'
export { autoencoderOf, openModel, type OpenModelOptions } from './open-model.js'
export { openPipeline, type OpenPipelineOptions, type Pipeline, type SaveOptions } from './open-pipeline.js'
export { isCheckpoint, isRun } from './open-run.js'
export { guidedPrompts } from './guided-prompts.js'
export { storedHalf } from './stored-half.js'
export { writeAdapter } from './write-adapter.js'
export {
  ExistsError,
  findWeightsTarget,
  type WeightsTarget,
  writeWeights,
  type WriteWeightsOptions,
} from './write-weights.js'
