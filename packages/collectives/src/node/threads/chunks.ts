import type { Floats, Numbers } from '../../numbers.js'
import type { SumPlaces } from './sums.js'

/** One piece of a collective, small enough for a slot. Arrays in `slots` are the ranks' places for it, in rank order. */
export interface Chunk {
  /** Bytes that each rank writes. */
  readonly bytes: number
  /** Puts this rank's numbers into its place. */
  write(own: Uint8Array): void
  /** Sums this rank's share of the places into that of rank 0; only chunks that all ranks read in full need it. */
  readonly reduce?: (slots: readonly Uint8Array[]) => void
  /** Takes the result, when all places are written (and reduced). */
  consume(slots: readonly Uint8Array[]): void
}

/** Who cuts and sums. */
export interface Seating {
  readonly rank: number
  readonly size: number
  readonly chunkBytes: number
  readonly sum: SumPlaces
}

/** Chunks of an all-reduce: each rank sums a share of every chunk, and reads all shares. */
export function allReduceChunks(values: Numbers, { rank, size, chunkBytes, sum }: Seating): Chunk[] {
  const { bytesPerElement } = values
  return pieces(values.length, chunkBytes / bytesPerElement).map(([start, length]) => {
    const share = Math.ceil(length / size)
    const [from, to] = [Math.min(length, rank * share), Math.min(length, (rank + 1) * share)]
    return {
      bytes: length * bytesPerElement,
      write: (own) => values.read(start, floats(own, values, 0, length)),
      reduce(slots) {
        const places = slots.map((slot) => floats(slot, values, from, to))
        sum(places[0], places)
      },
      consume: (slots) => values.write(start, floats(slots[0], values, 0, length)),
    }
  })
}

/** Chunks of a reduce-scatter: every place holds a stretch of each rank's part, and a rank sums its own. */
export function reduceScatterChunks(values: Numbers, part: Numbers, { rank, size, chunkBytes, sum }: Seating): Chunk[] {
  const stride = part.length
  const { bytesPerElement } = values
  return pieces(stride, chunkBytes / bytesPerElement / size).map(([start, length]) => ({
    bytes: size * length * bytesPerElement,
    write(own) {
      for (let to = 0; to < size; to++) {
        values.read(to * stride + start, floats(own, values, to * length, (to + 1) * length))
      }
    },
    consume(slots) {
      const places = slots.map((slot) => floats(slot, values, rank * length, (rank + 1) * length))
      // Nobody else reads this stretch of this rank's own place.
      sum(places[rank], places)
      part.write(start, places[rank])
    },
  }))
}

/** Chunks of an all-gather: places hold parts, and everybody reads all of them. */
export function allGatherChunks(part: Numbers, values: Numbers, chunkBytes: number): Chunk[] {
  const stride = part.length
  const { bytesPerElement } = part
  return pieces(stride, chunkBytes / bytesPerElement).map(([start, length]) => ({
    bytes: length * bytesPerElement,
    write: (own) => part.read(start, floats(own, part, 0, length)),
    consume(slots) {
      slots.forEach((slot, from) => values.write(from * stride + start, floats(slot, part, 0, length)))
    },
  }))
}

/** Chunks of a broadcast: only the root's place is written and read. */
export function broadcastChunks(
  values: Floats | Uint8Array,
  isRoot: boolean,
  root: number,
  chunkBytes: number,
): Chunk[] {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return pieces(bytes.length, chunkBytes).map(([start, length]) => ({
    bytes: isRoot ? length : 0,
    write(own) {
      if (isRoot) own.set(bytes.subarray(start, start + length))
    },
    consume(slots) {
      if (!isRoot) bytes.set(slots[root].subarray(0, length), start)
    },
  }))
}

/** Starts and lengths of the pieces of `total` things, at most `most` each; one empty piece for nothing at all. */
function pieces(total: number, most: number): [start: number, length: number][] {
  const count = Math.max(1, Math.ceil(total / most))
  return Array.from({ length: count }, (_, i) => [i * most, Math.min(most, total - i * most)])
}

/** Elements `from` up to `to` of a place. */
function floats(place: Uint8Array, { bytesPerElement }: Numbers, from: number, to: number): Floats {
  const [offset, length] = [place.byteOffset + from * bytesPerElement, to - from]
  return bytesPerElement === 4
    ? new Float32Array(place.buffer, offset, length)
    : new Float64Array(place.buffer, offset, length)
}
