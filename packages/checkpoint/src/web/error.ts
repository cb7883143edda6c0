interface WebFileProblem {
  readonly url: string
  readonly status?: number | null
  readonly isPage?: boolean
  readonly cause?: unknown
}

/** A file could not be had from its address. The text says why; `status` is set where the server's status was the reason. */
export class WebFileError extends Error {
  override readonly name = 'WebFileError'
  readonly url: string
  /** Such as 404; null where the server gave an answer, or none at all. */
  readonly status: number | null
  /** Whether a page for people came in place of the file. */
  readonly isPage: boolean

  constructor(message: string, { url, status = null, isPage = false, cause }: WebFileProblem) {
    super(message, cause === undefined ? {} : { cause })
    this.url = url
    this.status = status
    this.isPage = isPage
  }
}
