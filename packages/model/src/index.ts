export { unpublishedFields } from './check-blocks.js'
export { checkParams } from './check-params.js'
export { type BlockKind, checkConfig, type DiTConfig, nullLabel, outChannels } from './config.js'
export {
  type ConditionInputs,
  conditionInputs,
  type ConditionValues,
  type EmbeddedConditions,
} from './conditions/inputs.js'
export type { ConditionSpec } from './conditions/spec.js'
export { type CountedNetwork, countedNetwork } from './counted-network.js'
export { adaptWeights, type AdaptedWeights, type AdaptOptions } from './fine-tune/adapt-weights.js'
export { tensorDigests, weightsDigest } from './fine-tune/digest.js'
export { forward, type ForwardInputs, forwardWithTokens, type ForwardOptions } from './forward.js'
export { type HeldDType, holdParams, type HoldParamsOptions } from './hold-params.js'
export { initParams, type InitOptions } from './init-params.js'
export { configForDiffusers, configFromDiffusers } from './layouts/diffusers-config.js'
export {
  type About,
  type Description,
  descriptionFromMetadata,
  descriptionMetadata,
  type LatentScaling,
} from './layouts/description.js'
export { LayoutError } from './layouts/error.js'
export { type ConfigHints, inferConfig, type InferredConfig } from './layouts/infer-config.js'
export {
  type ProcessDescription,
  type Program,
  recogniseProgram,
  type RecognisedProgram,
  type SavedArguments,
} from './layouts/program.js'
export { loadLayout } from './layouts/load-layout.js'
export { type LayoutReport, reportLayout } from './layouts/report-layout.js'
export type { ModelWeights, ReadLayoutOptions } from './layouts/model-weights.js'
export { readLayout } from './layouts/read-layout.js'
export { type ChooseOptions, type ChosenStateDict, chooseStateDict, type WhichWeights } from './layouts/state-dict.js'
export { type DiffusersWeights, toDiffusers } from './layouts/to-diffusers.js'
export { loadParams, type LoadParamsOptions } from './load-params.js'
export {
  type Adapter,
  type AdapterDescription,
  adapterMetadata,
  isAdapterFile,
  readAdapter,
} from './low-rank/adapter-file.js'
export { composeAdapters } from './low-rank/compose.js'
export { adapterNames, adapterShapes, isAdapterName, type LowRank } from './low-rank/low-rank.js'
export { mergeAdapters } from './low-rank/merge.js'
export { DIT_NAMES, ditConfig, type DiTName } from './named-configs.js'
export {
  checkTied,
  locateWeightsIn,
  type OpenWeights,
  type OpenWeightsOptions,
  openWeightsIn,
  type WeightsPlace,
} from './open-weights-in.js'
export type { ParameterSource } from './parameter-source.js'
export { firstNonFinite } from './require-finite.js'
export { countParameters, isTrainable, parameterShapes, trainableParams } from './parameter-shapes.js'
export type { Init, ParameterSpec, ParameterTable } from './parameter-spec.js'
export { parameterTable, TIMESTEP_FEATURES } from './parameter-table.js'
export { LAYER_NORM_EPSILON } from './parts/norm.js'
export type { Trace } from './trace.js'
export { type ResizedModel, withInputSize, type WithInputSizeOptions } from './with-input-size.js'
