import type { Interval } from '@dit/metrics'

/** A number that says something about a set of pictures. */
export interface MeasureResult {
  /** Such as `frechet`, `kid`, `precision`: one of the names of `MEASURES`. */
  readonly measure: string
  /** As a person reads it, such as `Fréchet distance`; `FID` only on the pooled features of the FID Inception. */
  readonly title: string
  readonly value: number
  /** Of the bootstrap over pictures; null where there is none. */
  readonly interval: Interval | null
  /** The same measure of real pictures against other real ones, as many: no model can be expected beyond it. Null where it was not measured. */
  readonly floor: { readonly value: number; readonly interval: Interval | null } | null
  readonly better: 'less' | 'more'
  readonly warnings: readonly string[]
}

/** A set of pictures, as results name it. */
export interface SetDescription {
  /** Where it came from, as the user gave it. */
  readonly name: string
  /** What it is. */
  readonly kind: 'model' | 'folder' | 'npz' | 'statistics' | 'dataset'
  readonly count: number
  /** Of the pictures that were measured; null for statistics. */
  readonly size: readonly [height: number, width: number] | null
  readonly classNames: readonly string[]
  /** Pictures of each class, as `classNames`; null where classes are not known. */
  readonly classCounts: readonly number[] | null
  /** Digest of what decides the set: of the bytes of its pictures, or of weights and every sampling option. */
  readonly fingerprint: string
}

/** A sample beside the training pictures that are nearest to it. */
export interface NearestPictures {
  /** Number of the sample. */
  readonly sample: number
  /** A PNG as a data URL. */
  readonly picture: string
  readonly className: string | null
  readonly neighbours: readonly {
    readonly index: number
    readonly distance: number
    readonly picture: string
    readonly file: string | null
  }[]
  /** Whether it is nearer than `Memorisation.threshold` says that held-out pictures are. */
  readonly isSuspect: boolean
}

/** How many samples are copies of training pictures. */
export interface Memorisation {
  /** Share of samples nearer to a training picture than all but 1 % of held-out real pictures are. About 0.01 is expected of a model that copies nothing. */
  readonly share: number
  readonly interval: Interval
  /** The distance that 1 % of held-out pictures are below. */
  readonly threshold: number
  readonly numTraining: number
  readonly numHeldOut: number
  readonly numSamples: number
}

/** What was found of the pictures of one class. */
export interface ClassResult {
  readonly className: string
  readonly numGenerated: number
  readonly numReal: number
  readonly measures: readonly MeasureResult[]
}

/** Everything that an evaluation found, as JSON holds it. */
export interface Evaluation {
  readonly format: 'dit-evaluation'
  readonly version: 1
  /** Of the run, weights or set that is judged. */
  readonly generated: SetDescription
  readonly real: SetDescription
  /** What samples were searched for among; null where copies were not looked for. */
  readonly training: SetDescription | null
  readonly extractor: {
    readonly name: string
    readonly fingerprint: string
    readonly layer: string
    readonly width: number
  }
  /** How the samples were drawn, as the options of the pipeline; null where they were there already. */
  readonly sampling: Readonly<Record<string, unknown>> | null
  readonly seed: number
  readonly measures: readonly MeasureResult[]
  readonly classes: readonly ClassResult[]
  readonly memorisation: Memorisation | null
  readonly nearest: readonly NearestPictures[]
  /** Grids of samples and of real pictures, PNGs as data URLs. */
  readonly grids: readonly {
    readonly title: string
    readonly picture: string
    readonly width: number
    readonly height: number
  }[]
  readonly warnings: readonly string[]
}
