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
  /**
   * Sent with every request: `{ Authorization: 'Bearer …' }` for what is not public. Where the address leads on to another host, the
   * platform's fetch leaves `Authorization` out. Range and the conditions are the call's own.
   */
  readonly headers?: Readonly<Record<string, string>>
  /** An abort ends the call at once with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Timers take no longer times than this: 2^31 - 1 milliseconds. */
const MAX_SECONDS = 2_147_483

const OWN_HEADERS = ['Range', 'If-Range', 'If-None-Match', 'If-Modified-Since']

/** @throws RangeError naming the option that is out of range; TypeError for headers that are none */
export function checkRequestOptions(
  who: string,
  { size, retries = 0, stallSeconds = 1, headers = {} }: RequestOptions,
): void {
  const given = headersOf(who, headers)
  const own = OWN_HEADERS.find((name) => given.has(name))
  if (own !== undefined) throw new RangeError(`${who}: headers must not hold ${own}, which ${who} sends itself`)
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

function headersOf(who: string, headers: Readonly<Record<string, string>>): Headers {
  try {
    return new Headers(headers)
  } catch {
    // Without the platform's own text, which shows the value: that may be a secret.
    throw new TypeError(`${who}: headers must be names of HTTP headers and their values`)
  }
}
