import type { Saved } from '@dit/tensor'
import type { CpuBuffer, Memory } from '../memory.js'

const FLOAT_BYTES = 4

/** A buffer between a forward kernel and its backward twin. */
export interface SavedBuffer extends Saved {
  readonly buffer: CpuBuffer
}

/** Makes room for so many floats that lives until it is disposed of, or null where nothing is kept. */
export function savingIn(memory: Memory): (count: number, isKept: boolean) => SavedBuffer | null {
  return (count, isKept) => {
    if (!isKept) return null
    const buffer = memory.allocate(count * FLOAT_BYTES)
    return { buffer, dispose: () => memory.free(buffer) }
  }
}

/** Where what was saved begins; 0 where nothing was. */
export function startOf(saved: Saved | null): number {
  return saved === null ? 0 : (saved as SavedBuffer).buffer.address
}
