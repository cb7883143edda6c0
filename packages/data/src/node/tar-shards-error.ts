import type { UnreadablePicture } from './image-folder-error.js'

/** Why shards cannot serve as a dataset; the message is meant for their owner, and has names with odd characters in quotes. */
export class TarShardsError extends Error {
  override readonly name = 'TarShardsError'
  /** the pictures that cannot be read or have no class, where that is the reason; empty otherwise */
  readonly unreadable: readonly UnreadablePicture[]

  constructor(message: string, unreadable: readonly UnreadablePicture[] = [], options?: ErrorOptions) {
    super(message, options)
    this.unreadable = unreadable
  }
}
