/** The longest wait that a server may ask for, and that doubling reaches. */
export const MAX_WAIT_SECONDS = 60

/** A fault that another attempt may mend. All other errors end a call. */
export class Break extends Error {
  /** What to throw if there are no attempts left. */
  readonly reason: Error
  /** Seconds before the next attempt; 'doubling' is 1, 2, 4 and so on. */
  readonly wait: number | 'doubling'

  constructor(reason: Error, wait: number | 'doubling') {
    super(reason.message, { cause: reason })
    this.reason = reason
    this.wait = wait
  }
}

/**
 * Repeats `attempt` after each `Break`, at most `retries` times.
 *
 * @throws the reason of the last break, any other error of `attempt` as it is, and the signal's reason once it is aborted
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  { retries, signal }: { readonly retries: number; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  let doublings = 0
  for (let left = retries; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Break)) throw error
      if (left === 0) throw error.reason
      await pause(error.wait === 'doubling' ? Math.min(2 ** doublings++, MAX_WAIT_SECONDS) : error.wait, signal)
    }
  }
}

/** Waits, and rejects with the signal's reason as soon as it is aborted. */
function pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      if (signal?.aborted === true) reject(signal.reason as Error)
      else resolve()
    }
    const timer = setTimeout(end, seconds * 1000)
    signal?.addEventListener('abort', end)
  })
}

/**
 * Seconds that an answer asks to wait, or null where it does not say. A date counts from the server's own `Date`, so that no
 * clock here is read.
 *
 * RFC 9110, section 10.2.3.
 */
export function retryAfterSeconds(headers: Headers): number | null {
  const text = headers.get('Retry-After')?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text)
  const seconds = (Date.parse(text) - Date.parse(headers.get('Date') ?? '')) / 1000
  return Number.isNaN(seconds) ? null : Math.max(0, seconds)
}
