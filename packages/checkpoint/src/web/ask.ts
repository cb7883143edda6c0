import { WebFileError } from './error.js'
import { Break } from './retry.js'

/** A request of one file. */
export interface Question {
  /** Name of the function that asks, for error texts. */
  readonly who: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly cache: RequestCache
  /** Whether the address has answered before. A failure to connect is then waited out; at first it is rather a mistake. */
  readonly hasAnswered: boolean
  readonly stallSeconds: number
  readonly signal: AbortSignal | undefined
}

/** Reads on in the body of an answer; undefined at its end. */
export type ReadPart = () => Promise<Uint8Array | undefined>

/**
 * Asks, and gives the answer to `use`. Only faults of the network become a `Break`; errors of `use` pass as they are. An answer that
 * `use` does not read to its end is cancelled.
 *
 * @throws Break where the network fails or nothing comes for `stallSeconds`
 * @throws the reason of the signal as soon as it is aborted
 */
export async function ask<T>(
  { who, url, headers, cache, hasAnswered, stallSeconds, signal }: Question,
  use: (response: Response, read: ReadPart) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const abort = () => controller.abort(signal!.reason)
  signal?.addEventListener('abort', abort)
  let isWhole = false
  const clock = startStallClock(stallSeconds, () => controller.abort(new Error('stalled')))
  const onNetwork = async <R>(work: () => Promise<R>, what: string, wait: number | 'doubling'): Promise<R> => {
    try {
      controller.signal.throwIfAborted() // Node's fetch would leave a read pending if the last bytes are already here
      const result = await work()
      clock.restart()
      return result
    } catch (cause) {
      signal?.throwIfAborted()
      const problem = clock.hasStalled() ? `sent nothing for ${stallSeconds} s` : `${what} (${causeOf(cause)})`
      throw new Break(new WebFileError(`${who}: ${url} ${problem}`, { url, cause }), wait)
    }
  }
  try {
    const response = await onNetwork(
      () => fetch(url, { headers, cache, signal: controller.signal }),
      'cannot be reached',
      hasAnswered ? 'doubling' : 0,
    )
    const reader = response.body?.getReader()
    return await use(response, async () => {
      const part = reader === undefined ? undefined : (await onNetwork(() => reader.read(), 'broke off', 0)).value
      isWhole = part === undefined
      return part
    })
  } finally {
    clock.stop()
    signal?.removeEventListener('abort', abort)
    if (!isWhole) controller.abort()
  }
}

/**
 * Calls `onStall` when nothing has restarted it for so long, or up to a quarter longer. It counts quarters: a page that was itself busy
 * for all that time misses ticks, and does not take its own pause for one of the server.
 */
function startStallClock(seconds: number, onStall: () => void) {
  let quarters = 0
  const tick = () => {
    if (++quarters > 4) onStall()
  }
  const timer = seconds === Infinity ? undefined : setInterval(tick, seconds * 250)
  return {
    restart: () => (quarters = 0),
    stop: () => clearInterval(timer),
    hasStalled: () => quarters > 4,
  }
}

/** Node says `fetch failed` and why in the cause. */
function causeOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error && cause.message !== '' ? `${message}: ${cause.message}` : message
}
