import {
  checkParts,
  CommunicationError,
  type Communicator,
  type DirectCollectives,
  type Transfer,
} from '../../communicator.js'
import { arrayNumbers } from '../../numbers.js'
import { START_PATIENCE, waitUntil } from '../wait-until.js'
import { allGatherChunks, allReduceChunks, broadcastChunks, type Chunk, reduceScatterChunks } from './chunks.js'
import { counterIndex, FAILED, type Phase, type ThreadGroup, VERSION } from './group.js'
import { placeSums, ROOM_START } from './sums.js'

/** Milliseconds for which a waiting thread sleeps at most, unless it is woken. */
const NAP = 1

export interface ThreadCommunicatorOptions {
  /** Seconds without an answer after which a rank counts as lost (default 120). */
  readonly patience?: number
  /** The same for the first answer, while others may still start (default 60, or `patience` if that is more). */
  readonly startPatience?: number
}

/**
 * A rank of a job whose workers are threads of one process, which exchange numbers through shared memory.
 *
 * Collectives are cut into chunks. Every rank writes its numbers to its own place, sums a share of the chunk over all places, and
 * reads the shares of the others; several chunks are under way at once. Nothing moves while no rank polls or waits.
 *
 * @param group the same memory for every rank, from `threadGroup`
 * @throws CommunicationError, from `poll` and `wait`, when another rank has failed or does not arrive; it names the rank
 */
export function threadCommunicator(
  group: ThreadGroup,
  rank: number,
  { patience = 120, startPatience = START_PATIENCE }: ThreadCommunicatorOptions = {},
): Communicator {
  const { size, chunkBytes, slots } = group
  if (!Number.isSafeInteger(rank) || rank < 0 || rank >= size) {
    throw new RangeError(`threadCommunicator: rank must be in 0..${size - 1} (got ${rank})`)
  }
  const counts = new Int32Array(group.counters)
  const places = Array.from({ length: slots }, (_, slot) =>
    Array.from({ length: size }, (_, of) => {
      const start = ROOM_START + (of * slots + slot) * chunkBytes
      return new Uint8Array(group.room.buffer, start, chunkBytes)
    }),
  )
  const seating = { rank, size, chunkBytes, sum: placeSums(group.room) }
  /** Chunks that are not consumed yet; the first has the number `consumed`. */
  const queue: Chunk[] = []
  let [written, reduced, consumed] = [0, 0, 0]
  let [bytes, waitSeconds] = [0, 0]

  const least = (phase: Phase) => {
    let lowest = Infinity
    for (let of = 0; of < size; of++) lowest = Math.min(lowest, Atomics.load(counts, counterIndex(phase, of)))
    return lowest
  }
  const tell = (phase: Phase, count: number) => {
    Atomics.store(counts, counterIndex(phase, rank), count)
    Atomics.add(counts, VERSION, 1)
    Atomics.notify(counts, VERSION)
  }
  const chunk = (number: number) => queue[number - consumed]
  const end = () => consumed + queue.length

  /** Every phase as far as it goes, in order of chunks. */
  const advance = () => {
    const failed = Atomics.load(counts, FAILED)
    if (failed !== 0 && failed !== rank + 1) throw new CommunicationError(`rank ${failed - 1} has failed`)
    while (written < end() && written < least('consumed') + slots) {
      chunk(written).write(places[written % slots][rank])
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

  const lost = async (): Promise<never> => {
    const missing = Array.from({ length: size }, (_, of) => of).filter(
      (of) => of !== rank && Atomics.load(counts, counterIndex('arrived', of)) <= consumed,
    )
    throw new CommunicationError(
      missing.length === 0
        ? `rank ${rank} waited ${patience} s for a transfer that all ranks have begun`
        : `rank ${missing.join(', ')} did not answer rank ${rank} for ${patience} s`,
    )
  }

  const start = (chunks: readonly Chunk[]): Transfer => {
    queue.push(...chunks)
    const last = end()
    advance()
    const isDone = () => {
      if (consumed < last) advance()
      return consumed >= last
    }
    return {
      poll: isDone,
      async wait() {
        let version = 0
        const isOver = () => {
          version = Atomics.load(counts, VERSION)
          return isDone()
        }
        const pause = () => void Atomics.wait(counts, VERSION, version, NAP)
        const until = consumed === 0 ? Math.max(patience, startPatience) : patience
        waitSeconds += await waitUntil(isOver, { pause, patience: until, onLost: lost })
      },
    }
  }

  const direct: DirectCollectives = {
    allReduce: (values) => start(allReduceChunks(values, seating)),
    reduceScatter: (values, part) => start(reduceScatterChunks(values, part, seating)),
    allGather: (part, values) => start(allGatherChunks(part, values, chunkBytes)),
  }

  return {
    name: 'threads',
    rank,
    size,
    allReduce: (values) => direct.allReduce(arrayNumbers(values)),
    reduceScatter(values, part) {
      checkParts('reduceScatter', size, values, part)
      return direct.reduceScatter(arrayNumbers(values), arrayNumbers(part))
    },
    allGather(part, values) {
      checkParts('allGather', size, values, part)
      return direct.allGather(arrayNumbers(part), arrayNumbers(values))
    },
    direct,
    broadcast: (values, root = 0) => start(broadcastChunks(values, rank === root, root, chunkBytes)),
    poll: advance,
    traffic: () => ({ bytes, waitSeconds }),
    async close() {
      await start(broadcastChunks(new Uint8Array(1), rank === 0, 0, chunkBytes)).wait()
    },
  }
}
