import type { PretrainedModel } from '@dit/pretrained'

/** How large everything is: as published, or small for a trial. */
export interface Sizes {
  /** Steps of training; of a student, of each stage. */
  readonly steps: number
  readonly batch: number
  /** Pictures of each class that are held out, and samples that are drawn to be compared with them. */
  readonly heldOutPerClass: number
  /** Training pictures of each class among which copies are looked for, and from which the classifier learns. */
  readonly trainingPerClass: number
}

/** Where the pictures of a model lie. */
export interface PictureFolders {
  /** For whatever else the preparation keeps. */
  readonly work: string
  /** Class folders of pictures that are never trained on. */
  readonly heldOut: string
  /** Class folders of training pictures: all of them, or a part of the stream. */
  readonly training: string
}

/** What there is to train on. */
export interface Prepared {
  /** `--data` of `dit train`. */
  readonly data: string
  /** Different pictures that are trained on. */
  readonly numTraining: number
  /** A sentence for the card: how the pictures for the search of copies were chosen. */
  readonly copiesAmong: string
}

/** A model of `@dit/pretrained`, as it is built from its source. */
export interface ModelSpec {
  readonly model: PretrainedModel
  /** Side of the pictures. */
  readonly size: number
  readonly sizes: Sizes
  /** Flags of `dit train`, besides data, size, length, batch and folder. */
  readonly flags: readonly string[]
  /** Of a student of few steps: what teaches it; its flags are then those of `dit distill`. */
  readonly student?: { readonly teacher: PretrainedModel; readonly numSteps: number }
  /** What the source on the command line is, for the usage. */
  readonly source: string
  /** Writes the pictures. It begins anew if it was stopped. */
  prepare(source: string, sizes: Sizes, folders: PictureFolders): Promise<Prepared>
  readonly card: CardTexts
}

/** What no measurement says, in Markdown. */
export interface CardTexts {
  /** A heading and a sentence: what the pictures show. */
  readonly title: string
  readonly about: string
  readonly data: readonly string[]
  readonly limits: readonly string[]
}
