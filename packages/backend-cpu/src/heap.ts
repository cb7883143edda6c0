/** A first address and a length, in bytes. */
interface Block {
  start: number
  size: number
}

/** Blocks of a linear memory that grows at its end. */
export interface Heap {
  /** Address of `byteLength` bytes, a multiple of 64, or null where the memory cannot grow that far. */
  allocate(byteLength: number): number | null
  /** Gives a block back, with the length it was asked for. */
  free(address: number, byteLength: number): void
  /** Bytes between `start` and the end that were never used or have been given back. */
  freeBytes(): number
}

const ALIGNMENT = 64

/**
 * Best fit over a list of free blocks ordered by address; neighbours are joined when they are freed. A training step
 * frees what it allocates in nearly the same order every time, so the list stays short.
 *
 * @param start first address it may use
 * @param end   where the memory ends now
 * @param grow  lengthens the memory by at least so many bytes and returns its new end, or null where it cannot
 */
export function createHeap(start: number, end: number, grow: (byteLength: number) => number | null): Heap {
  const first = roundUp(start)
  const blocks: Block[] = end > first ? [{ start: first, size: end - first }] : []
  let limit = end

  function takeFrom(index: number, size: number): number {
    const block = blocks[index]
    const address = block.start
    block.start += size
    block.size -= size
    if (block.size === 0) blocks.splice(index, 1)
    return address
  }

  function extend(size: number): boolean {
    const last = blocks.at(-1)
    const atEnd = last !== undefined && last.start + last.size === limit ? last : null
    const begin = atEnd?.start ?? roundUp(limit)
    const newLimit = grow(begin + size - limit)
    if (newLimit === null) return false
    if (atEnd === null) blocks.push({ start: begin, size: newLimit - begin })
    else atEnd.size = newLimit - begin
    limit = newLimit
    return true
  }

  return {
    allocate(byteLength) {
      const size = roundUp(Math.max(byteLength, 1))
      let best = -1
      for (let i = 0; i < blocks.length; i++) {
        if (blocks[i].size >= size && (best === -1 || blocks[i].size < blocks[best].size)) best = i
        if (best === i && blocks[i].size === size) break
      }
      if (best !== -1) return takeFrom(best, size)
      return extend(size) ? takeFrom(blocks.length - 1, size) : null
    },
    free(address, byteLength) {
      const size = roundUp(Math.max(byteLength, 1))
      const after = firstAfter(blocks, address)
      const [previous, next] = [blocks[after - 1], blocks[after]]
      const joinsPrevious = previous !== undefined && previous.start + previous.size === address
      const joinsNext = next !== undefined && address + size === next.start
      if (joinsPrevious) {
        previous.size += size + (joinsNext ? next.size : 0)
        if (joinsNext) blocks.splice(after, 1)
      } else if (joinsNext) {
        next.start = address
        next.size += size
      } else blocks.splice(after, 0, { start: address, size })
    },
    freeBytes: () => blocks.reduce((sum, { size }) => sum + size, 0),
  }
}

/** Index of the first block that begins after the address. */
function firstAfter(blocks: readonly Block[], address: number): number {
  let [low, high] = [0, blocks.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (blocks[middle].start > address) high = middle
    else low = middle + 1
  }
  return low
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}
