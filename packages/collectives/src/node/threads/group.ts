import { sharedRoom } from './sums.js'

/** What the threads of a job share: counters and room for numbers under way. All of it can be sent to workers. */
export interface ThreadGroup {
  readonly size: number
  readonly counters: SharedArrayBuffer
  readonly room: WebAssembly.Memory
  /** Bytes of a chunk, and chunks that a rank may have under way. */
  readonly chunkBytes: number
  readonly slots: number
}

/** Places in `counters`: a number that changes with every event, the rank that failed plus 1, then three counts a rank. */
export const VERSION = 0
export const FAILED = 1
const FIRST = 2

/** How far a rank is, in chunks: its numbers are there, it has summed its share, it has read the result. */
export type Phase = 'arrived' | 'reduced' | 'consumed'

const PHASES: readonly Phase[] = ['arrived', 'reduced', 'consumed']

export function counterIndex(phase: Phase, rank: number): number {
  return FIRST + PHASES.length * rank + PHASES.indexOf(phase)
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
  // Shares of a chunk are whole doubles.
  const bytes = Math.ceil(chunkBytes / (8 * size)) * 8 * size
  return {
    size,
    counters: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * counterIndex('arrived', size)),
    room: sharedRoom(bytes * slots * size),
    chunkBytes: bytes,
    slots,
  }
}

/** Tells the other threads that a rank has failed: whatever they wait for throws. */
export function failGroup({ counters }: ThreadGroup, rank: number): void {
  const counts = new Int32Array(counters)
  Atomics.compareExchange(counts, FAILED, 0, rank + 1)
  Atomics.add(counts, VERSION, 1)
  Atomics.notify(counts, VERSION)
}
