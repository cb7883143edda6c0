import type { FeatureExtractor } from '@dit/features'
import type { Products } from '@dit/metrics'
import type { EncodePng } from './copies/png-url.js'
import type { SideStatistics } from './measures/measured.js'
import type { MeasureName } from './measures/names.js'
import type { EvaluatedPipeline } from './sets/drawn-set.js'
import type { FeatureStore } from './sets/feature-store.js'
import type { PictureSource, SetName } from './sets/picture-set.js'

/** Real pictures of which only means and covariances are known, as `readAdmStatistics` of `@dit/metrics` gives them. */
export interface ReferenceStatistics {
  readonly statistics: SideStatistics
  /** What they were made with, where it is known. */
  readonly madeWith?: {
    readonly name: string
    readonly fingerprint: string
    readonly layer: string
    /** Of the pictures; samples must have it. */
    readonly size?: readonly [height: number, width: number]
  }
}

/** What is judged: a pipeline that draws pictures, or pictures that are there. */
export type Generated = EvaluatedPipeline | PictureSource

/** What it is judged by. */
export type RealData = PictureSource | ReferenceStatistics

/** Options of `evaluate`. */
export interface EvaluateOptions {
  readonly extractor: FeatureExtractor
  /** The layer that features are taken at; that of the extractor by default. */
  readonly layer?: string
  /** Default: `USUAL_MEASURES`, as far as they can be had. One that is named and cannot be had is an error. */
  readonly measures?: readonly MeasureName[]
  /** Samples of a pipeline; by default as many as there are real pictures, at most 5000. */
  readonly count?: number
  /** Only pictures of these classes are judged. */
  readonly classes?: readonly string[]
  /** Options of the pipeline, such as `steps`, `sampler` and `guidance`. */
  readonly sampling?: Readonly<Record<string, unknown>>
  /** Of all that decides the pictures of a pipeline: its weights, its options, its engine. Without it `store` keeps no samples. */
  readonly samplingFingerprint?: string
  /** Samples that are drawn at a time. Default: 32. */
  readonly batchSize?: number
  /** Of the samples, their classes, and all subsets and resamples. Default: 0. */
  readonly seed?: number
  /** All pictures that the model was trained on: copies are looked for among them, and floors are taken of them. */
  readonly training?: PictureSource
  /** Real pictures that it was not trained on; the real data by default. They say how near to a training picture is too near. */
  readonly heldOut?: PictureSource
  /** The model was trained on mirror images, too: copies of these are looked for. */
  readonly isMirrored?: boolean
  /** Go on where pictures are in the training set and in the other real ones. */
  readonly allowDuplicates?: boolean
  /** Resamples behind an interval; 0 for none. Default: 200. */
  readonly numResamples?: number
  /** Share of the resamples that an interval spans. Default: 0.95. */
  readonly level?: number
  /** Which nearest other picture a neighbourhood reaches to. Default: 5. */
  readonly k?: number
  readonly products?: Products
  /** Where features and samples are kept; in memory by default. */
  readonly store?: FeatureStore
  /** How results name the sets. */
  readonly names?: {
    readonly generated?: SetName
    readonly real?: SetName
    readonly training?: SetName
    readonly heldOut?: SetName
  }
  /** Encodes pictures; without it results have no grids and no pictures beside their neighbours. */
  readonly toPng?: EncodePng
  readonly signal?: AbortSignal
  /** Told how far each stage is. */
  readonly onProgress?: (progress: { readonly stage: Stage; readonly done: number; readonly total: number }) => void
}

/** What an evaluation is at: reading a set, or computing measures. */
export type Stage =
  | 'samples'
  | 'real pictures'
  | 'other real pictures'
  | 'training pictures'
  | 'held-out pictures'
  | 'measures'

/** Samples that are drawn where nobody says how many. */
export const MOST_SAMPLES = 5000

/** What holds where an option is absent. */
export const DEFAULTS = { batchSize: 32, seed: 0, numResamples: 200, level: 0.95, k: 5 } as const

/** Whether real data are only statistics. */
export function isReference(data: object): data is ReferenceStatistics {
  return 'statistics' in data
}
