import type { Floats } from '../../communicator/communicator.js'

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

/** Chunks of an all-reduce: each rank sums a share of every chunk, and reads all shares. */
export function allReduceChunks(values: Floats, rank: number, size: number, chunkBytes: number): Chunk[] {
  return pieces(values.length, chunkBytes / values.BYTES_PER_ELEMENT).map(([start, length]) => {
    const piece = values.subarray(start, start + length)
    const share = Math.ceil(length / size)
    const [from, to] = [Math.min(length, rank * share), Math.min(length, (rank + 1) * share)]
    return {
      bytes: piece.byteLength,
      write: (own) => floats(own, values).set(piece),
      reduce(slots) {
        const places = slots.map((slot) => floats(slot, values).subarray(from, to))
        sumInto(places[0], places)
      },
      consume: (slots) => piece.set(floats(slots[0], values).subarray(0, length)),
    }
  })
}

/** Chunks of a reduce-scatter: every place holds a stretch of each rank's part, and a rank sums its own. */
export function reduceScatterChunks(
  values: Floats,
  part: Floats,
  rank: number,
  size: number,
  chunkBytes: number,
): Chunk[] {
  const stride = part.length
  return pieces(stride, chunkBytes / values.BYTES_PER_ELEMENT / size).map(([start, length]) => ({
    bytes: size * length * values.BYTES_PER_ELEMENT,
    write(own) {
      const place = floats(own, values)
      for (let to = 0; to < size; to++) {
        place.set(values.subarray(to * stride + start, to * stride + start + length), to * length)
      }
    },
    consume(slots) {
      const places = slots.map((slot) => floats(slot, values).subarray(rank * length, (rank + 1) * length))
      sumInto(part.subarray(start, start + length), places)
    },
  }))
}

/** Chunks of an all-gather: places hold parts, and everybody reads all of them. */
export function allGatherChunks(part: Floats, values: Floats, chunkBytes: number): Chunk[] {
  const stride = part.length
  return pieces(stride, chunkBytes / part.BYTES_PER_ELEMENT).map(([start, length]) => ({
    bytes: length * part.BYTES_PER_ELEMENT,
    write: (own) => floats(own, part).set(part.subarray(start, start + length)),
    consume(slots) {
      slots.forEach((slot, from) => values.set(floats(slot, part).subarray(0, length), from * stride + start))
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

function floats(bytes: Uint8Array, like: Floats): Floats {
  const length = bytes.byteLength / like.BYTES_PER_ELEMENT
  return like instanceof Float32Array
    ? new Float32Array(bytes.buffer, bytes.byteOffset, length)
    : new Float64Array(bytes.buffer, bytes.byteOffset, length)
}

/** Sums in rank order, in double precision, rounded once: the result does not depend on who arrived first. */
function sumInto(out: Floats, places: readonly Floats[]): void {
  const { length } = out
  if (places.length === 2) {
    const [a, b] = places
    for (let i = 0; i < length; i++) out[i] = a[i] + b[i]
    return
  }
  for (let i = 0; i < length; i++) {
    let total = 0
    for (let rank = 0; rank < places.length; rank++) total += places[rank][i]
    out[i] = total
  }
}
