import type { View } from '@dit/tensor'

/** A buffer of the backend. */
export interface CpuBuffer {
  readonly address: number
  readonly byteLength: number
  /** Of a matrix in half precision: the rows it was made with, which say how it lies (native/halves.ts). */
  rows?: number
}

/** Allocation that is counted in `memory()`. */
export interface Memory {
  readonly allocate: (byteLength: number) => CpuBuffer
  readonly free: (buffer: CpuBuffer) => void
}

/** Where a view begins; 0 for none. */
export function addressOf(view: View | null): number {
  return view === null ? 0 : (view.buffer as CpuBuffer).address + view.byteOffset
}
