import type { PagePictures, PageSettings } from './settings.js'

/** What the page asks of the Worker that trains. */
export type ToTrainer =
  /** Say what lies in the storage. */
  | { readonly kind: 'look' }
  /** Forget what lies there, and begin. */
  | { readonly kind: 'begin'; readonly settings: PageSettings; readonly pictures: PagePictures | null }
  /** Go on with what lies there. */
  | { readonly kind: 'resume' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'forget' }
  /** The averaged weights of the last checkpoint as a file. */
  | { readonly kind: 'export' }

/** A point of the curves. */
export interface Point {
  readonly step: number
  readonly value: number
}

/** What the Worker tells the page. */
export type FromTrainer =
  /** What lies in the storage; null for nothing. */
  | { readonly kind: 'kept'; readonly settings: PageSettings | null; readonly step: number; readonly curves: Curves }
  | { readonly kind: 'started'; readonly engine: string; readonly step: number; readonly curves: Curves }
  | { readonly kind: 'step'; readonly step: number; readonly loss: number; readonly heldOut: number | null }
  /** One picture of each class, RGBA. */
  | {
      readonly kind: 'samples'
      readonly step: number
      readonly pictures: readonly { readonly data: Uint8ClampedArray<ArrayBuffer>; readonly width: number }[]
    }
  | { readonly kind: 'ended'; readonly step: number; readonly reason: 'finished' | 'stopped' }
  | { readonly kind: 'exported'; readonly step: number; readonly file: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'problem'; readonly text: string }

/** Losses and held-out errors of all steps so far. */
export interface Curves {
  readonly losses: readonly Point[]
  readonly heldOut: readonly Point[]
}
