/** Why a file is no whole tar archive, or of a kind that is not read. The message begins with the archive's name. */
export class TarError extends Error {
  override readonly name = 'TarError'
  /** where in the archive, in bytes */
  readonly offset: number

  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

/** Makes the error of a place in one archive. */
export type FailTar = (problem: string, offset: number) => TarError
