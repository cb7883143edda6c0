/** Options of `prefetch`. */
export interface PrefetchOptions {
  /** first number to load (default 0) */
  readonly start?: number
  /** stop before this number (default: never) */
  readonly end?: number
  /** how many may be under way or waiting beyond the one being used, at least 1 (default 2) */
  readonly ahead?: number
  /** stops everything; the generator then throws the signal's reason */
  readonly signal?: AbortSignal
}

/**
 * Loads things by number, ahead of their use, and yields them in order.
 *
 * At most `ahead` loads are under way or waiting while the caller works on an earlier one. A failed load throws when its
 * turn comes, not before, and ends the generator. Leaving the loop, a failure and `signal` all abort the signal that the
 * loads were given; what they still return or throw is ignored.
 *
 * @param load  loads number `step`; should stop early when its signal aborts
 * @throws RangeError when `ahead` is not a positive integer
 *
 * @example
 * for await (const batch of prefetch((step, signal) => readBatch(step, signal), { end: 100 })) use(batch)
 */
export async function* prefetch<T>(
  load: (step: number, signal: AbortSignal) => Promise<T>,
  { start = 0, end = Infinity, ahead = 2, signal }: PrefetchOptions = {},
): AsyncGenerator<T, void, undefined> {
  if (!Number.isSafeInteger(ahead) || ahead < 1) {
    throw new RangeError(`prefetch: ahead must be a positive integer (ahead is ${ahead})`)
  }
  const stop = new AbortController()
  const onAbort = () => stop.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()

  const queue: Promise<T>[] = []
  let next = start
  const fill = () => {
    while (queue.length < ahead && next < end) {
      const step = next++
      const loading = Promise.resolve().then(() => load(step, stop.signal))
      ignore(loading)
      queue.push(loading)
    }
  }
  try {
    stop.signal.throwIfAborted()
    fill()
    for (let loading = queue.shift(); loading !== undefined; loading = queue.shift()) {
      const loaded = await unlessAborted(loading, stop.signal)
      fill()
      yield loaded
      stop.signal.throwIfAborted()
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    stop.abort(new DOMException('prefetch: the loop was left', 'AbortError'))
  }
}

/**
 * What a promise gives, or the reason of the signal if that comes first. `Promise.race` with one promise for the signal would keep
 * everything that was ever loaded: what waits for a promise that never settles is never freed.
 */
function unlessAborted<T>(loading: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error)
    if (signal.aborted) {
      onAbort()
      return
    }
    signal.addEventListener('abort', onAbort, { once: true })
    void loading.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Whoever awaits the promise still sees it fail; nobody else is told. */
function ignore(promise: Promise<unknown>): void {
  promise.catch(() => {})
}
