import type { Memory } from '../memory.js'

const FLOAT_BYTES = 4

/** Runs a kernel with memory for so many floats that lives no longer than it; none is address 0. */
export function withFloats(memory: Memory, count: number, run: (address: number) => void): void {
  if (count === 0) return run(0)
  const buffer = memory.allocate(count * FLOAT_BYTES)
  try {
    run(buffer.address)
  } finally {
    memory.free(buffer)
  }
}
