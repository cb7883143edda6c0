/** Where a number lies, as far as the pictures at hand can tell. */
export interface MeasureInterval {
  readonly low: number
  readonly high: number
  /** Standard deviation over the resamples. */
  readonly standardError: number
}

/** A number that says something about a set of pictures. */
export interface MeasureResult {
  /** Such as `frechet`, `kid`, `precision`: one of the names of `MEASURES`. */
  readonly measure: string
  /** As a person reads it, such as `Fréchet distance`; `FID` only on the pooled features of the FID Inception. */
  readonly title: string
  readonly value: number
  /** Of the bootstrap over pictures; null where there is none, which `warnings` explains. */
  readonly interval: MeasureInterval | null
  /** Pictures that it was measured on; null where statistics do not say, or where no real picture takes part. */
  readonly counts: { readonly real: number | null; readonly generated: number }
  /** The same measure of real pictures against other real ones: no model can be expected beyond it. Null where it was not measured. */
  readonly floor: MeasureFloor | null
  readonly better: 'less' | 'more'
  readonly warnings: readonly string[]
}

/** What real pictures reach in place of generated ones. */
export interface MeasureFloor {
  readonly value: number
  readonly interval: MeasureInterval | null
  /** Real pictures, and the other real ones that stood for generated ones. */
  readonly counts: { readonly real: number | null; readonly generated: number }
  /** The measure of the samples with just these counts, since measures depend on counts: what is to be compared with `value`. */
  readonly matched: number
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
  /** Digest of the set: of the bytes of its pictures and their classes, or of statistics. */
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
  /** Share of samples nearer to a training picture than all but 1 % of held-out real pictures are. `chanceCopies` says which share is no sign of copying. */
  readonly share: number
  /** Over samples and held-out pictures. */
  readonly interval: MeasureInterval
  /** The distance that 1 % of held-out pictures are below. A sample at no distance counts, too. */
  readonly threshold: number
  /** Where distances are measured: between pixels for small pictures, between features for large ones. */
  readonly space: 'pixels' | 'features'
  /** Mirror images of training pictures were searched, too. */
  readonly isMirrored: boolean
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
  /** Real pictures that were not trained on, which say how near to training pictures is too near; null where there are none. */
  readonly heldOut: SetDescription | null
  readonly extractor: {
    readonly name: string
    readonly fingerprint: string
    readonly layer: string
    readonly width: number
  }
  /** How the samples were drawn, as the options of the pipeline; null where they were there already. */
  readonly sampling: Readonly<Record<string, unknown>> | null
  readonly seed: number
  /** How intervals were made: share of the resamples that they span, and resamples at most. */
  readonly intervals: { readonly level: number; readonly numResamples: number }
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
