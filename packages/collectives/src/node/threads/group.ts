import { sharedRoom } from './sums.js'

/** What the threads of a job share: counters and room for numbers under way. All of it can be sent to workers. */
export interface ThreadGroup {
  readonly size: number
  readonly counters: SharedArrayBuffer
  /** Places of the ranks; it grows by those of every group that they make. */
  readonly room: WebAssembly.Memory
  /** Bytes of a chunk, and chunks that a rank may have under way. */
  readonly chunkBytes: number
  readonly slots: number
}

/** Places in `counters`: a number that changes with every event, and the rank that failed plus 1. */
export const VERSION = 0
export const FAILED = 1
/** The rank that looks through the meetings plus 1, how many were opened, and where the newest lies. */
export const LOCK = 2
export const OPENED = 3
export const NEWEST = 4
/** Then for each rank the meeting that it waits in, and the counts of the meeting of all. */
const FIRST = 5

/** How far a rank is, in chunks: its numbers are there, it has summed its share, it has read the result. */
export type Phase = 'arrived' | 'reduced' | 'consumed'

const PHASES: readonly Phase[] = ['arrived', 'reduced', 'consumed']

/** Where the meeting is told that a rank waits in, or 0. */
export function waitIndex(rank: number): number {
  return FIRST + rank
}

/** Counts of `size` members: three each. */
export function countsOf(buffer: ArrayBufferLike, byteOffset: number, size: number): Int32Array {
  return new Int32Array(buffer, byteOffset, PHASES.length * size)
}

export function countIndex(phase: Phase, member: number): number {
  return PHASES.length * member + PHASES.indexOf(phase)
}

/** Bytes before the counts of the meeting of all. */
export function headerBytes(size: number): number {
  return Int32Array.BYTES_PER_ELEMENT * waitIndex(size)
}

/**
 * Shared memory for a job of `size` threads of one process; every one of them makes a `threadCommunicator` of it.
 *
 * @throws RangeError unless `size` is a positive integer
 */
export function threadGroup(size: number, { chunkBytes = 2 ** 20, slots = 8 } = {}): ThreadGroup {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new RangeError(`threadGroup: size must be a positive integer (got ${size})`)
  }
  const bytes = chunkOf(chunkBytes, size)
  return {
    size,
    counters: new SharedArrayBuffer(headerBytes(size) + Int32Array.BYTES_PER_ELEMENT * PHASES.length * size),
    room: sharedRoom(bytes * slots * size),
    chunkBytes: bytes,
    slots,
  }
}

/** Bytes of a chunk that `size` ranks share: each sums whole doubles. */
export function chunkOf(bytes: number, size: number): number {
  return Math.ceil(bytes / (8 * size)) * 8 * size
}

/** Tells the other threads that a rank has failed: whatever they wait for throws. */
export function failGroup({ counters }: ThreadGroup, rank: number): void {
  const counts = new Int32Array(counters)
  Atomics.compareExchange(counts, FAILED, 0, rank + 1)
  Atomics.add(counts, VERSION, 1)
  Atomics.notify(counts, VERSION)
}
