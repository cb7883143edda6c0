/** A file could not be had from its address. The text says why; `status` is set where the server's status was the reason. */
export class WebFileError extends Error {
  override readonly name = 'WebFileError'
  readonly url: string
  /** Such as 404; null where the server gave an answer, or none at all. */
  readonly status: number | null

  constructor(
    message: string,
    { url, status = null, cause }: { readonly url: string; readonly status?: number | null; readonly cause?: unknown },
  ) {
    super(message, cause === undefined ? {} : { cause })
    this.url = url
    this.status = status
  }
}
