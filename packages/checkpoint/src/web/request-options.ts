/** How both `fetchFile` and `urlSource` deal with a server. */
export interface RequestOptions {
  /** The size in bytes that the file must have. */
  readonly size?: number
  /**
   * The content types to take, as a list such as `['application/octet-stream']` or a predicate; it sees them in lower case and
   * without parameters, and '' where the server names none. By default all but HTML, which is a page and no weights.
   */
  readonly accept?: readonly string[] | ((contentType: string) => boolean)
  /** How often a download that breaks, or a server that is busy, is tried again; 3 by default. */
  readonly retries?: number
  /** An attempt breaks if no byte comes for this many seconds, 30 by default; `Infinity` waits for ever. */
  readonly stallSeconds?: number
  /** An abort ends the call at once with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Timers take no longer times than this: 2^31 - 1 milliseconds. */
const MAX_SECONDS = 2_147_483

/** @throws RangeError naming the option that is out of range */
export function checkRequestOptions(who: string, { size, retries = 0, stallSeconds = 1 }: RequestOptions): void {
  if (size !== undefined && (!Number.isSafeInteger(size) || size < 0)) {
    throw new RangeError(`${who}: size must be a number of bytes (got ${size})`)
  }
  if (!Number.isInteger(retries) || retries < 0) {
    throw new RangeError(`${who}: retries must be an integer of 0 or more (got ${retries})`)
  }
  const isTime = stallSeconds === Infinity || (stallSeconds > 0 && stallSeconds <= MAX_SECONDS)
  if (!isTime) {
    throw new RangeError(
      `${who}: stallSeconds must be above 0 and at most ${MAX_SECONDS}, or Infinity (got ${stallSeconds})`,
    )
  }
}
