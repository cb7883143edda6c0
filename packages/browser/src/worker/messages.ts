import type {
  DecodeOptions,
  FetchOptions,
  ModelDescription,
  OpenPipelineOptions,
  Picture,
  Pictures,
  SampleOptions,
  SampleProgress,
} from '@dit/pipeline'

// All that passes between a page and its worker. A page hands over one end of a MessageChannel for each pipeline; the rest
// travels through it.

/** What a worker computes with: `auto` takes WebGPU on a graphics card, and WebAssembly where there is none. */
export type EngineChoice = 'auto' | 'webgpu' | 'wasm'

/** What a worker computes with, in the end. */
export interface WorkerEngine {
  readonly kind: 'webgpu' | 'wasm'
  /** For people: the adapter, or `WebAssembly, 4 threads`. */
  readonly description: string
  /** Why `auto` did not take WebGPU; null where it did, or was not asked. */
  readonly reason: string | null
}

/** Where weights come from, as far as it can be sent. */
export type WorkerSource = string | URL | Uint8Array | ArrayBuffer | Blob

/** What is said of a model when it is opened, as far as it can be sent. */
export interface WorkerModelOptions extends Omit<OpenPipelineOptions, 'backend' | 'autoencoder' | 'fetch'> {
  readonly fetch?: Omit<FetchOptions, 'onProgress' | 'onCacheError' | 'signal'>
}

/** What can be asked of sampling: all but a second model, which could not be sent. */
export type WorkerSampleOptions = Omit<SampleOptions, 'guide'>

/** The same, without what stays in the page. */
export type SentSampleOptions = Omit<WorkerSampleOptions, 'signal'>

/** How to read what a run of sampling has now. */
export type Look = 'pictures' | 'state' | 'estimates'

/** What a worker is sent first: the end of a channel, and all that it needs to open the pipeline. */
export interface OpenMessage {
  readonly kind: 'dit-open'
  readonly port: MessagePort
  readonly source: WorkerSource
  readonly options: WorkerModelOptions
  readonly engine: EngineChoice
  readonly threads: number | 'auto'
  /** Name of a lock that the worker holds for as long as it lives; null where there are no locks. */
  readonly lock: string | null
}

/** Requests with an answer. */
export type Request =
  | { readonly kind: 'start'; readonly options: SentSampleOptions; readonly gives: 'samples' | 'pictures' }
  | { readonly kind: 'next'; readonly run: number }
  | { readonly kind: 'look'; readonly run: number; readonly what: Look }
  | { readonly kind: 'pictures'; readonly options: SentSampleOptions }
  | {
      readonly kind: 'decode'
      readonly samples: Float32Array
      readonly options: Pick<DecodeOptions, 'image' | 'mask' | 'tile'>
    }
  | { readonly kind: 'save' }

/** From the page: requests under a number, and orders without an answer. `abort` names a request, or a run by its `start`. */
export type ToWorker =
  | (Request & { readonly id: number })
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'dispose' }

/** What a pipeline is, once it is open. */
export interface Opened {
  readonly description: ModelDescription
  readonly classNames: readonly string[]
  readonly assumptions: readonly string[]
  readonly notices: readonly string[]
  readonly engine: WorkerEngine
}

/** A step of a run as plain numbers. */
export type SentStep = Pick<SampleProgress, 'done' | 'total' | 'finished' | 'index' | 'first'>

/** What `next` is answered with. */
export type NextAnswer =
  | { readonly isDone: false; readonly step: SentStep }
  | { readonly isDone: true; readonly value: Float32Array | Picture[] }

/** The answer of each request. */
export interface Answers {
  readonly start: null
  readonly next: NextAnswer
  readonly look: Picture[] | Float32Array
  readonly pictures: Picture[]
  readonly decode: Pictures
  readonly save: Uint8Array
}

/** An error as plain data. */
export interface SentError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** Its own fields that are plain, such as `option` of an `OptionError` and `status` of a `WebFileError`. */
  readonly fields: Readonly<Record<string, string | number | boolean | null>>
  readonly cause: SentError | null
}

/** From the worker. Opening has the number 0. */
export type FromWorker =
  | { readonly kind: 'answer'; readonly id: number; readonly value: Opened | Answers[Request['kind']] }
  | { readonly kind: 'error'; readonly id: number; readonly error: SentError }
  | { readonly kind: 'progress'; readonly url: string; readonly bytes: number; readonly total: number | null }

/** The number of the answer that says that a pipeline is open. */
export const OPENING = 0

/** Buffers that an answer may hand over instead of copying: the worker keeps none of what it makes. */
export function buffersOf(value: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) return value.buffer instanceof ArrayBuffer ? [value.buffer] : []
  if (Array.isArray(value)) return [...new Set(value.flatMap(buffersOf))]
  if (value === null || typeof value !== 'object') return []
  return [...new Set(Object.values(value).flatMap(buffersOf))]
}
