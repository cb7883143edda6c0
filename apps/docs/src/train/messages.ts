import type { FolderFile } from './folder-store.js'
import type { WeightsAbout } from './from-weights.js'
import type { PagePictures, PageSettings } from './settings.js'

/** What the page asks of the Worker that trains. */
export type ToTrainer =
  /** Say what lies in the storage. */
  | { readonly kind: 'look' }
  /** Forget what lies there, and begin: from new weights, or from those of a file. */
  | {
      readonly kind: 'begin'
      readonly settings: PageSettings
      readonly pictures: PagePictures | null
      readonly from?: Blob | undefined
    }
  /** Forget what lies there, and take a run of `dit train`. */
  | { readonly kind: 'take'; readonly files: readonly FolderFile[] }
  /** Go on with what lies there; where asked for also if the numbers will not be those of an unbroken run. */
  | { readonly kind: 'resume'; readonly allowInexact?: boolean }
  | { readonly kind: 'pause' }
  | { readonly kind: 'forget' }
  /** The averaged weights of the last checkpoint as a file. */
  | { readonly kind: 'export' }
  /** Open a file of weights, and draw with it. */
  | { readonly kind: 'open'; readonly file: Blob }
  /** Draw with the file that is open. */
  | { readonly kind: 'draw'; readonly seed: number }
  | { readonly kind: 'close' }

/** A point of the curves. */
export interface Point {
  readonly step: number
  readonly value: number
}

/** A picture that was drawn, RGBA, with the name of its class. */
export interface DrawnPicture {
  readonly data: Uint8ClampedArray<ArrayBuffer>
  readonly width: number
  readonly className: string
}

/** What the Worker tells the page. */
export type FromTrainer =
  /** What lies in the storage; null for nothing. */
  | { readonly kind: 'kept'; readonly settings: PageSettings | null; readonly step: number; readonly curves: Curves }
  | { readonly kind: 'started'; readonly engine: string; readonly step: number; readonly curves: Curves }
  | { readonly kind: 'step'; readonly step: number; readonly loss: number; readonly heldOut: number | null }
  /** One picture of each class. */
  | { readonly kind: 'samples'; readonly step: number; readonly pictures: readonly DrawnPicture[] }
  | { readonly kind: 'ended'; readonly step: number; readonly reason: 'finished' | 'stopped' }
  | { readonly kind: 'exported'; readonly step: number; readonly file: Uint8Array<ArrayBuffer> }
  /** `isInexact`: it could go on, but not exactly. */
  | { readonly kind: 'problem'; readonly text: string; readonly isInexact?: true }
  | { readonly kind: 'opened'; readonly about: WeightsAbout }
  /** With the file that is open; `done` of `total` steps, and the pictures after the last. */
  | { readonly kind: 'drawing'; readonly done: number; readonly total: number }
  | { readonly kind: 'drawn'; readonly seed: number; readonly pictures: readonly DrawnPicture[] }
  /** The file is closed: it could not be opened or drawn with. */
  | { readonly kind: 'weights-problem'; readonly text: string }

/** Those of them that are about a file of weights. */
export type AboutWeights = Extract<FromTrainer, { kind: 'opened' | 'drawing' | 'drawn' | 'weights-problem' }>

/** Losses and held-out errors of all steps so far. */
export interface Curves {
  readonly losses: readonly Point[]
  readonly heldOut: readonly Point[]
}
