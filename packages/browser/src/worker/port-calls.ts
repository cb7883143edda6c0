import { type Answers, type FromWorker, OPENING, type Opened, type Request, type ToWorker } from './messages.js'
import { receiveError } from './sent-error.js'

interface Waiting {
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

/** The page's end of the channel: requests under numbers, and who waits for their answers. */
export class PortCalls {
  /** Why nothing can be asked any more; null as long as it can. */
  #ended: Error | null = null
  #last = OPENING
  readonly #waiting = new Map<number, Waiting>()
  readonly #port: MessagePort

  /**
   * @param onMessage sees every message before it is answered
   */
  constructor(port: MessagePort, onMessage: (message: FromWorker) => void) {
    this.#port = port
    port.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      onMessage(data)
      if (data.kind === 'answer') this.#take(data.id)?.resolve(data.value as never)
      else if (data.kind === 'error') this.#take(data.id)?.reject(receiveError(data.error))
    })
    port.start()
  }

  /** Waits for the answer that the pipeline is open. */
  opened(): Promise<Opened> {
    return this.#wait(OPENING)
  }

  /**
   * Asks for something.
   *
   * @param signal ends the wait, and tells the worker
   * @param run     what `signal` is to end, where it is not this request
   */
  async call<Kind extends Request['kind']>(
    request: Extract<Request, { readonly kind: Kind }>,
    signal?: AbortSignal,
    run?: number,
  ): Promise<Answers[Kind]> {
    return (await this.callNumbered(request, signal, run)).value
  }

  /** The same, with the number that the request had. */
  async callNumbered<Kind extends Request['kind']>(
    request: Extract<Request, { readonly kind: Kind }>,
    signal?: AbortSignal,
    run?: number,
  ): Promise<{ readonly id: number; readonly value: Answers[Kind] }> {
    signal?.throwIfAborted()
    if (this.#ended !== null) throw this.#ended
    const id = ++this.#last
    // What cannot be sent throws here.
    this.#send({ ...(request as Request), id })
    const answer = this.#wait<Answers[Kind]>(id)
    if (signal === undefined) return { id, value: await answer }
    const stop = () => {
      this.abort(run ?? id)
      this.#take(id)?.reject(signal.reason)
    }
    signal.addEventListener('abort', stop)
    try {
      return { id, value: await answer }
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  /** Ends a request or a run in the worker, without an answer. */
  abort(id: number): void {
    if (this.#ended === null) this.#send({ kind: 'abort', id })
  }

  /** Ends all that waits with an error, and refuses what comes after. */
  end(error: Error): void {
    if (this.#ended !== null) return
    this.#ended = error
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  /** Frees what is in the worker. */
  dispose(): void {
    this.#send({ kind: 'dispose' })
    // Closing at once could drop the message.
    setTimeout(() => this.#port.close())
  }

  #send(message: ToWorker): void {
    this.#port.postMessage(message, [])
  }

  #wait<Value>(id: number): Promise<Value> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    return waiting
  }
}
