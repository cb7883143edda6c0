export { type ClassNames, type NamesFrom, shortName } from './classes/class-names.js'
export { parseClasses } from './classes/parse-classes.js'
export { didYouMean, nearest } from './classes/suggest.js'
export type { Prompted, SampledNetwork } from './network.js'
export { type FoundAutoencoder, type ModelDescription, type OpenDiT, type OpenModel, requireDiT } from './open-model.js'
export { type ModelInMemory, type ModelSource, openModel, type OpenModelOptions } from './open/open-model.js'
export { type AdapterOptions, withAdapter } from './open/with-adapter.js'
export type { OpenOptions } from './open/open-tree.js'
export type { Scheduler } from './open/scheduler.js'
export type { FetchOptions } from './open/url-tree.js'
export { openPipeline, type OpenPipelineOptions } from './open-pipeline.js'
export { OpenError, OptionError, optionProblem } from './option-error.js'
export { checkAutoencoder, decodePictures, loadAutoencoder, type OpenAutoencoder } from './pictures/autoencoder.js'
export { type Picture, type PictureData, toImageData } from './pictures/picture.js'
export { isPixelModel, sampleShape } from './pictures/pixel-model.js'
export { type Pictures, picture, toPictures } from './pictures/pixels.js'
export { toPng } from './pictures/png.js'
export {
  createPipeline,
  type DecodeOptions,
  lastSamples,
  type Pipeline,
  type PipelineOptions,
  type SampleStep,
} from './pipeline.js'
export { describeProcess, isUnlikePaper, type ProcessSettings, requireProcess } from './process-of.js'
export { DIFFUSION_FORMS, LAST_STEPS, noisySteps, type SdeOptions } from './sampling/flow-options.js'
export type { BatchesOptions, BatchStep, PictureBatch, SampleBatch } from './sampling/draw-batches.js'
export { planSampling, type SamplingPlan } from './sampling/plan-sampling.js'
export type { RecordedNoise } from './sampling/recorded-noise.js'
export type { SampleProgress } from './sampling/sample-batches.js'
export { SAMPLE_DEFAULTS, type SampleOptions } from './sampling/sample-options.js'
export { FLOW_SAMPLERS, GAUSSIAN_SAMPLERS, type SamplerName, SAMPLERS } from './sampling/sampler-names.js'
export { mostSteps } from './sampling/sampling-path.js'
