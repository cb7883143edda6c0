import { type Begin, blockingCollectives } from '../../blocking.js'
import { checkGroup, checkParts, checkRoot, type Communicator } from '../../communicator.js'
import { arrayNumbers, type Numbers } from '../../numbers.js'
import { START_PATIENCE } from '../wait-until.js'
import { waiter } from '../waiter.js'
import { allGatherChunks, allReduceChunks, broadcastChunks, type Chunk, reduceScatterChunks } from './chunks.js'
import { type ThreadGroup, VERSION, waitIndex } from './group.js'
import { advanceAll, openLine, type ThreadRank } from './line.js'
import { joinMeeting, leaveMeeting, type Meeting, meetingOfAll } from './meeting.js'
import { missingRanks } from './missing.js'
import { placeSums } from './sums.js'

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
 * reads the shares of the others; several chunks are under way at once. Nothing moves while no rank polls or waits. A group has
 * places of its own: the shared memory grows by as many bytes a member as the job has.
 *
 * @param group the same memory for every rank, from `threadGroup`
 * @throws CommunicationError, from `poll` and `wait`, when another rank has failed or does not arrive; it names the rank
 */
export function threadCommunicator(
  group: ThreadGroup,
  rank: number,
  { patience = 120, startPatience = START_PATIENCE }: ThreadCommunicatorOptions = {},
): Communicator {
  if (!Number.isSafeInteger(rank) || rank < 0 || rank >= group.size) {
    throw new RangeError(`threadCommunicator: rank must be in 0..${group.size - 1} (got ${rank})`)
  }
  const header = new Int32Array(group.counters)
  const waits: Meeting[] = []
  const self: ThreadRank = {
    group,
    header,
    rank,
    patience,
    waiter: waiter({
      rank,
      patience,
      startPatience: Math.max(patience, startPatience),
      pause: () => void Atomics.wait(header, VERSION, self.version, NAP),
      missing: (meeting) => missingRanks(group, rank, meeting),
      waits,
      onChange: () => void Atomics.store(header, waitIndex(rank), waits.at(-1)?.id ?? 0),
    }),
    lines: new Set(),
    version: 0,
  }
  return communicatorIn(self, meetingOfAll(group), () => {})
}

function communicatorIn(self: ThreadRank, meeting: Meeting, onClose: () => void): Communicator {
  const { ranks, chunkBytes } = meeting
  const [rank, size] = [ranks.indexOf(self.rank), ranks.length]
  // Made after the memory has grown by this meeting: a module knows how large it was then.
  const seating = { rank, size, chunkBytes, sum: placeSums(self.group.room) }
  const line = openLine(self, meeting)
  self.lines.add(line)
  const begin = (chunks: readonly Chunk[]) => {
    if (!self.lines.has(line)) throw new Error(`threads: the communicator of ranks ${ranks.join(', ')} is closed`)
    return line.begin(chunks)
  }

  const direct = {
    allReduce: (values: Numbers) => begin(allReduceChunks(values, seating)),
    reduceScatter: (values: Numbers, part: Numbers) => begin(reduceScatterChunks(values, part, seating)),
    allGather: (part: Numbers, values: Numbers) => begin(allGatherChunks(part, values, chunkBytes)),
  }

  const collectives: Begin = {
    allReduce: (values) => direct.allReduce(arrayNumbers(values)),
    reduceScatter(values, part) {
      checkParts('reduceScatter', size, values, part)
      return direct.reduceScatter(arrayNumbers(values), arrayNumbers(part))
    },
    allGather(part, values) {
      checkParts('allGather', size, values, part)
      return direct.allGather(arrayNumbers(part), arrayNumbers(values))
    },
    broadcast(values, root = 0) {
      checkRoot(size, root)
      return begin(broadcastChunks(values, rank === root, root, chunkBytes))
    },
  }

  return {
    name: 'threads',
    rank,
    size,
    ...collectives,
    direct,
    blocking: blockingCollectives(collectives),
    async group(members) {
      const ofJob = checkGroup(members, { rank, size }).map((of) => ranks[of])
      const joined = joinMeeting(self.group, ofJob, self.rank, self.patience)
      return communicatorIn(self, joined, () => leaveMeeting(self.group, joined))
    },
    poll: () => advanceAll(self),
    traffic: () => line.traffic(),
    async close() {
      if (!self.lines.has(line)) return
      await begin(broadcastChunks(new Uint8Array(1), rank === 0, 0, chunkBytes)).wait()
      self.lines.delete(line)
      onClose()
    },
  }
}
