import { seconds } from '../clock.js'
import type { Shared } from '../waiter.js'
import type { MpiLibrary } from './library.js'
import { nap } from './nap.js'

/** Tag of the messages that find out who is still there. */
const TAG = 7043

/** How a rank finds out who is missing: whoever waits answers, and tells for whom it waits in turn. */
export interface RollCall {
  /** Answers those that ask; called now and then while this rank waits. */
  answer(): void
  /**
   * Asks all ranks, and waits for answers.
   *
   * @param ranks that this rank waits for, as all ranks here of the whole job
   * @param patience seconds for the answers, at most
   * @returns those of them that are silent; in the place of one that itself waits, those that it waits for
   */
  missing(ranks: readonly number[], patience: number): number[]
  /** Before MPI_Finalize. */
  close(): void
}

/** @param waits what this rank waits for at the moment */
export function rollCall(
  { call, handles }: MpiLibrary,
  rank: number,
  size: number,
  waits: readonly Shared[],
): RollCall {
  /** For whom others wait, as far as they have told. */
  const heard = new Map<number, number[]>()
  /** Sent words, which MPI may still read. */
  const sent: unknown[] = []
  const flag = new Int32Array(1)
  /** The next word from anyone: who says it, whether it asks for an answer, and for every rank whether it is waited for. */
  let ear: { readonly word: Int32Array; readonly request: BigUint64Array } | null = null

  const say = (to: number, asks: boolean) => {
    const word = new Int32Array(2 + size)
    word.set([rank, asks ? 1 : 0])
    for (const of of waits.flatMap(({ ranks }) => ranks)) word[2 + of] = 1
    const request = new BigUint64Array(1)
    call.isend(word, word.byteLength, handles.byte, to, TAG, handles.world, request)
    sent.push(word, request)
  }
  const open = () => {
    const word = new Int32Array(2 + size)
    const request = new BigUint64Array(1)
    call.irecv(word, word.byteLength, handles.byte, handles.anySource, TAG, handles.world, request)
    return { word, request }
  }
  const answer = () => {
    for (;;) {
      ear ??= open()
      call.test(ear.request, flag, handles.statusIgnore)
      if (flag[0] === 0) return
      const [from, asks, ...isWaitedFor] = ear.word
      ear = null
      heard.set(
        from,
        isWaitedFor.flatMap((isIt, of) => (isIt === 1 ? [of] : [])),
      )
      if (asks === 1) say(from, false)
    }
  }
  const silent = (ranks: readonly number[]) => {
    const [seen, missing] = [new Set([rank]), new Set<number>()]
    const ask = (of: number) => {
      if (seen.has(of)) return
      seen.add(of)
      const others = heard.get(of)
      if (others === undefined) missing.add(of)
      else others.forEach(ask)
    }
    ranks.forEach(ask)
    return [...missing].toSorted((a, b) => a - b)
  }
  return {
    answer,
    missing(ranks, patience) {
      for (let of = 0; of < size; of++) if (of !== rank) say(of, true)
      const until = seconds() + patience
      while (seconds() < until) {
        answer()
        if (silent(ranks).length === 0) break
        nap(1)
      }
      return silent(ranks)
    },
    close() {
      if (ear === null) return
      call.cancel(ear.request)
      for (flag[0] = 0; flag[0] === 0;) call.test(ear.request, flag, handles.statusIgnore)
      ear = null
    },
  }
}
