import { CommunicationError, type Communicator } from './communicator.js'

/** What rank 0 tells the others while they wait for its work. */
const COMMANDS = { beat: 0, together: 1, done: 2, failed: 3 } as const

/** Milliseconds between the signs of life that rank 0 gives. */
const BEAT = 1000

/** Rank 0 has failed at something that it did for all. */
export class RankZeroError extends Error {
  override readonly name = 'RankZeroError'
}

/**
 * Work that rank 0 does for all, such as writing a checkpoint, while the others wait for its end however long it takes: rank 0
 * gives them a sign of life every second. What the work needs of the others, all do together.
 *
 * @param work     run by rank 0; its argument runs `perform` on every rank at once and gives rank 0's result
 * @param perform  a collective, chosen by two numbers
 * @returns what `work` returns on rank 0, undefined on the others
 * @throws RankZeroError on the other ranks, where `work` throws
 */
export async function onRankZero<T, R>(
  communicator: Communicator,
  work: (together: (a: number, b: number) => Promise<R>) => Promise<T>,
  perform: (a: number, b: number) => Promise<R>,
): Promise<T | undefined> {
  if (communicator.size === 1) return work(perform)
  return communicator.rank === 0 ? lead(communicator, work, perform) : follow(communicator, perform)
}

async function lead<T, R>(
  communicator: Communicator,
  work: (together: (a: number, b: number) => Promise<R>) => Promise<T>,
  perform: (a: number, b: number) => Promise<R>,
): Promise<T> {
  // One command after the other, whoever asks for it.
  let last: Promise<unknown> = Promise.resolve()
  let isBusy = false
  const send = <V>(command: number, a: number, b: number, then: () => Promise<V>): Promise<V> => {
    const result = last.then(async () => {
      isBusy = true
      try {
        await communicator.broadcast(Float64Array.of(command, a, b)).wait()
        return await then()
      } finally {
        isBusy = false
      }
    })
    last = result.catch(() => {})
    return result
  }
  let lost: unknown = null
  const beat = setInterval(() => {
    if (!isBusy) void send(COMMANDS.beat, 0, 0, async () => {}).catch((error: unknown) => (lost ??= error))
  }, BEAT)
  let result: T
  try {
    result = await work((a, b) => send(COMMANDS.together, a, b, () => perform(a, b)))
  } catch (error) {
    clearInterval(beat)
    if (!(error instanceof CommunicationError)) {
      const message = new TextEncoder().encode(error instanceof Error ? error.message : String(error))
      const telling = send(COMMANDS.failed, message.length, 0, () => communicator.broadcast(message).wait())
      // Whoever has heard it first may have ended the job already: what went wrong is still this.
      await telling.catch(() => {})
    }
    throw error
  } finally {
    clearInterval(beat)
  }
  if (lost !== null) throw lost as Error
  await send(COMMANDS.done, 0, 0, async () => {})
  return result
}

async function follow<R>(
  communicator: Communicator,
  perform: (a: number, b: number) => Promise<R>,
): Promise<undefined> {
  const command = new Float64Array(3)
  for (;;) {
    await communicator.broadcast(command).wait()
    const [code, a, b] = command
    if (code === COMMANDS.done) return
    if (code === COMMANDS.together) await perform(a, b)
    if (code === COMMANDS.failed) {
      const message = new Uint8Array(a)
      await communicator.broadcast(message).wait()
      throw new RankZeroError(`rank 0 failed: ${new TextDecoder().decode(message)}`)
    }
  }
}

/** A text of rank `root` on every rank. */
export async function sharedText(communicator: Communicator, text: string | undefined, root = 0): Promise<string> {
  const own = new TextEncoder().encode(text ?? '')
  const length = Float64Array.of(own.length)
  await communicator.broadcast(length, root).wait()
  const bytes = communicator.rank === root ? own : new Uint8Array(length[0])
  await communicator.broadcast(bytes, root).wait()
  return new TextDecoder().decode(bytes)
}

/** True on every rank where it is on any. */
export async function anyRank(communicator: Communicator, claim: boolean): Promise<boolean> {
  if (communicator.size === 1) return claim
  const claims = Float32Array.of(claim ? 1 : 0)
  await communicator.allReduce(claims).wait()
  return claims[0] > 0
}
