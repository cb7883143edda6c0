/** A picture that could not be decoded. */
export interface UnreadablePicture {
  /** path of the file, inside the folder */
  readonly path: string
  readonly reason: string
}

/** Why a folder cannot serve as a dataset; the message is meant for its owner. */
export class ImageFolderError extends Error {
  override readonly name = 'ImageFolderError'
  /** the pictures that cannot be read, where that is the reason; empty otherwise */
  readonly unreadable: readonly UnreadablePicture[]

  constructor(message: string, unreadable: readonly UnreadablePicture[] = [], options?: ErrorOptions) {
    super(message, options)
    this.unreadable = unreadable
  }
}
