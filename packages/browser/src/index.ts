export {
  type FetchFileOptions,
  fetchFile,
  type FileProgress,
  type UrlSourceOptions,
  urlSource,
} from '@dit/checkpoint/web'
export {
  openWorkerPipeline,
  type OpenWorkerPipelineOptions,
  type WorkerPicturesOptions,
  type WorkerPipeline,
  type WorkerStep,
} from './open-worker-pipeline.js'
export { originRunStore, type OriginRunStoreOptions } from './origin-run-store.js'
export type {
  EngineChoice,
  WorkerEngine,
  WorkerModelOptions,
  WorkerSampleOptions,
  WorkerSource,
} from './worker/messages.js'
export { WorkerLostError } from './worker/watch-worker.js'
