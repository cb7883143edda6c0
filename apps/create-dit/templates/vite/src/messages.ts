import type { Picture } from '@dit/pipeline'

/** What the page asks of the Worker: a model to open, first; then pictures. */
export type Request = OpenRequest | DrawRequest

/** Opens the model behind an address. */
export interface OpenRequest {
  readonly type: 'open'
  readonly address: string
}

/** Draws a picture with the model. */
export interface DrawRequest {
  readonly type: 'draw'
  readonly className: string
  readonly seed: number
  readonly guidance: number
}

/** What the Worker tells the page. */
export type News =
  | { readonly type: 'ready'; readonly classNames: readonly string[]; readonly engine: string }
  | { readonly type: 'step'; readonly done: number; readonly total: number; readonly picture: Picture }
  | { readonly type: 'failed'; readonly message: string }
