/** A picture that could not be decoded. */
export interface UnreadablePicture {
  /** path of the file, inside the folder, as the file system has it: its name may hold characters that do not print */
  readonly path: string
  /** on one line */
  readonly reason: string
}

/** Why a folder cannot serve as a dataset; the message is meant for its owner, and has names with odd characters in quotes. */
export class ImageFolderError extends Error {
  override readonly name = 'ImageFolderError'
  /** the pictures that cannot be read, where that is the reason; empty otherwise */
  readonly unreadable: readonly UnreadablePicture[]

  constructor(message: string, unreadable: readonly UnreadablePicture[] = [], options?: ErrorOptions) {
    super(message, options)
    this.unreadable = unreadable
  }
}
