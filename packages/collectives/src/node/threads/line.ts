import type { BlockingTransfer } from '../../blocking.js'
import { CommunicationError, type Traffic } from '../../communicator.js'
import type { Waiter } from '../waiter.js'
import type { Chunk } from './chunks.js'
import { countIndex, FAILED, type Phase, type ThreadGroup, VERSION } from './group.js'
import type { Meeting } from './meeting.js'

/** What the communicators of one rank share: that of all, and those of its groups. */
export interface ThreadRank {
  readonly group: ThreadGroup
  /** The job's counters. */
  readonly header: Int32Array
  readonly rank: number
  readonly patience: number
  readonly waiter: Waiter<Meeting>
  /** A rank that waits in one moves all of them on. */
  readonly lines: Set<Line>
  /** The job's number of events at the last look at what is under way. */
  version: number
}

/** Chunks in the order in which they were begun: the part of a rank in one meeting. */
export interface Line {
  begin(chunks: readonly Chunk[]): BlockingTransfer
  /** Moves every chunk on as far as it goes. */
  advance(): void
  traffic(): Traffic
}

/** Moves on what a rank has under way, in all of its communicators. */
export function advanceAll(self: ThreadRank): void {
  const { header, rank, lines } = self
  self.version = Atomics.load(header, VERSION)
  const failed = Atomics.load(header, FAILED)
  if (failed !== 0 && failed !== rank + 1) throw new CommunicationError(`rank ${failed - 1} has failed`)
  for (const line of lines) line.advance()
}

export function openLine(self: ThreadRank, meeting: Meeting): Line {
  const { group, header, rank } = self
  const { ranks, counts, start, chunkBytes } = meeting
  const { slots } = group
  const own = ranks.indexOf(rank)
  const places = Array.from({ length: slots }, (_, slot) =>
    ranks.map((_, of) => new Uint8Array(group.room.buffer, start + (of * slots + slot) * chunkBytes, chunkBytes)),
  )
  /** Chunks that are not consumed yet; the first has the number `consumed`. */
  const queue: Chunk[] = []
  let [written, reduced, consumed] = [0, 0, 0]
  let [bytes, waitSeconds] = [0, 0]

  const least = (phase: Phase) => {
    let lowest = Infinity
    for (let of = 0; of < ranks.length; of++) lowest = Math.min(lowest, Atomics.load(counts, countIndex(phase, of)))
    return lowest
  }
  const tell = (phase: Phase, count: number) => {
    Atomics.store(counts, countIndex(phase, own), count)
    Atomics.add(header, VERSION, 1)
    Atomics.notify(header, VERSION)
  }
  const chunk = (number: number) => queue[number - consumed]
  const end = () => consumed + queue.length

  /** Every phase as far as it goes, in order of chunks. */
  const advance = () => {
    if (queue.length === 0) return
    while (written < end() && written < least('consumed') + slots) {
      chunk(written).write(places[written % slots][own])
      bytes += chunk(written).bytes
      tell('arrived', ++written)
    }
    const arrived = Math.min(written, least('arrived'))
    while (reduced < arrived) {
      chunk(reduced).reduce?.(places[reduced % slots])
      tell('reduced', ++reduced)
    }
    let summed = least('reduced')
    while (consumed < reduced && (chunk(consumed).reduce === undefined || consumed < summed)) {
      chunk(consumed).consume(places[consumed % slots])
      queue.shift()
      tell('consumed', ++consumed)
      if (consumed >= summed) summed = least('reduced')
    }
  }

  return {
    begin(chunks) {
      queue.push(...chunks)
      const last = end()
      advanceAll(self)
      const isDone = () => {
        if (consumed < last) advanceAll(self)
        return consumed >= last
      }
      return {
        poll: isDone,
        async wait() {
          waitSeconds += await self.waiter.wait(meeting, isDone)
        },
        finish() {
          waitSeconds += self.waiter.block(meeting, isDone)
        },
      }
    },
    advance,
    traffic: () => ({ bytes, waitSeconds }),
  }
}
