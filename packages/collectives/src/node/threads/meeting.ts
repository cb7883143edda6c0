import { CommunicationError, groupsDiffer } from '../../communicator.js'
import { seconds } from '../clock.js'
import { chunkOf, countsOf, headerBytes, LOCK, NEWEST, OPENED, type ThreadGroup } from './group.js'
import { PAGE_BYTES, ROOM_START } from './sums.js'

/** Where members of a job meet, all or a group: counts of how far each of them is, and places for their numbers. */
export interface Meeting {
  /** No other open meeting has it; never 0. */
  readonly id: number
  /** The members, as ranks of the whole job. */
  readonly ranks: readonly number[]
  /** Counts of the members, in the order of `ranks`. */
  readonly counts: Int32Array
  /** Byte of the memory at which the members' places begin: for each of them one in each slot. */
  readonly start: number
  readonly chunkBytes: number
}

/** The meeting of all. Those of groups have the number of the page that they begin at, behind the places of this one. */
const ALL = 1

/**
 * Words at the start of a group's meeting: the page of the one made before, its pages, its turn among those opened, members,
 * and members that have left. Then the members' ranks, for each whether it has joined, and the counts.
 */
const [NEXT, PAGES, TURN, SIZE, LEFT, RANKS] = [0, 1, 2, 3, 4, 5]

/** Milliseconds between looks at the lock. */
const NAP = 1

export function meetingOfAll({ size, counters, chunkBytes }: ThreadGroup): Meeting {
  const ranks = Array.from({ length: size }, (_, rank) => rank)
  return { id: ALL, ranks, counts: countsOf(counters, headerBytes(size), size), start: ROOM_START, chunkBytes }
}

/** An open meeting. */
export function meetingAt(group: ThreadGroup, id: number): Meeting {
  if (id === ALL) return meetingOfAll(group)
  const words = wordsAt(group, id)
  const size = words[SIZE]
  return {
    id,
    ranks: ranksOf(words),
    counts: countsOf(words.buffer, words.byteOffset + 4 * (RANKS + 2 * size), size),
    start: words.byteOffset + placesAt(size),
    chunkBytes: chunkOf(group.chunkBytes, size),
  }
}

/**
 * Joins the meeting of a group, and opens it where no other member has. A member joins a meeting once; of several with the same
 * members, that which was opened first.
 *
 * @param ranks members, as ranks of the whole job
 * @param rank  this one
 * @throws RangeError where another member makes another group, or the memory cannot grow by the places of the group
 */
export function joinMeeting(group: ThreadGroup, ranks: readonly number[], rank: number, patience: number): Meeting {
  const header = new Int32Array(group.counters)
  return locked(header, rank, patience, () => {
    const known = meetings(group, header)
    const hasJoined = ({ words }: Known, of: number) => words[RANKS + words[SIZE] + ranksOf(words).indexOf(of)] !== 0
    // Meetings that this rank has still to join, the oldest first.
    const open = known
      .filter((one) => ranksOf(one.words).includes(rank) && !hasJoined(one, rank))
      .toSorted((a, b) => a.words[TURN] - b.words[TURN])
    const isThis = ({ words }: Known) => `${ranksOf(words)}` === `${ranks}`
    const meeting = open.find(isThis)
    for (const other of open.filter((one) => !isThis(one))) {
      // A member that has joined the other and not yet this one makes its groups in another order.
      const ahead = ranksOf(other.words).find(
        (of) => ranks.includes(of) && hasJoined(other, of) && (meeting === undefined || !hasJoined(meeting, of)),
      )
      if (ahead !== undefined) throw groupsDiffer(rank, ranks, ahead, ranksOf(other.words))
    }
    const { id, words } = meeting ?? openMeeting(group, ranks, known, header)
    words[RANKS + ranks.length + ranks.indexOf(rank)] = 1
    return meetingAt(group, id)
  })
}

/** Leaves the meeting of a group. Once all members have, another group may take its memory. */
export function leaveMeeting(group: ThreadGroup, { id }: Meeting): void {
  Atomics.add(wordsAt(group, id), LEFT, 1)
}

function ranksOf(words: Int32Array): number[] {
  return [...words.subarray(RANKS, RANKS + words[SIZE])]
}

interface Known {
  readonly id: number
  readonly words: Int32Array
}

function openMeeting(group: ThreadGroup, ranks: readonly number[], known: readonly Known[], header: Int32Array): Known {
  const size = ranks.length
  const bytes = placesAt(size) + size * group.slots * chunkOf(group.chunkBytes, size)
  const pages = Math.ceil(bytes / PAGE_BYTES)
  const isFree = ({ words }: Known) => words[PAGES] >= pages && Atomics.load(words, LEFT) === words[SIZE]
  const { id, words } = known.find(isFree) ?? newMeeting(group, pages, header)
  words.fill(0, SIZE, placesAt(size) / 4)
  words.set(ranks, RANKS)
  words[SIZE] = size
  words[TURN] = header[OPENED]++
  return { id, words }
}

function newMeeting(group: ThreadGroup, pages: number, header: Int32Array): Known {
  const id = grow(group.room, pages)
  const words = wordsAt(group, id)
  words[NEXT] = header[NEWEST]
  words[PAGES] = pages
  header[NEWEST] = id
  return { id, words }
}

function grow(room: WebAssembly.Memory, pages: number): number {
  try {
    return room.grow(pages)
  } catch {
    throw new RangeError(
      `group: the threads' shared memory cannot grow by ${Math.ceil((pages * PAGE_BYTES) / 2 ** 20)} MiB; close groups, or make the chunks of threadGroup smaller or fewer`,
    )
  }
}

function meetings(group: ThreadGroup, header: Int32Array): Known[] {
  const found: Known[] = []
  for (let id = header[NEWEST]; id !== 0;) {
    const words = wordsAt(group, id)
    found.push({ id, words })
    id = words[NEXT]
  }
  return found
}

function wordsAt({ room }: ThreadGroup, id: number): Int32Array {
  // Another thread may have made the memory grow: this lets this one see it.
  room.grow(0)
  return new Int32Array(room.buffer, id * PAGE_BYTES)
}

/** Bytes from the start of a meeting to its places, a multiple of 64. */
function placesAt(size: number): number {
  return Math.ceil((RANKS + 5 * size) / 16) * 64
}

/** One thread after the other: whoever finds the lock taken waits for it. */
function locked<T>(header: Int32Array, rank: number, patience: number, act: () => T): T {
  const began = seconds()
  for (;;) {
    const holder = Atomics.compareExchange(header, LOCK, 0, rank + 1)
    if (holder === 0) break
    if (seconds() - began > patience) {
      throw new CommunicationError(`rank ${holder - 1} did not answer rank ${rank} for ${patience} s`)
    }
    Atomics.wait(header, LOCK, holder, NAP)
  }
  try {
    return act()
  } finally {
    Atomics.store(header, LOCK, 0)
    Atomics.notify(header, LOCK)
  }
}
