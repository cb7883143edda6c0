import type { Floats } from '../../numbers.js'
import { base64 } from './sums-module.js'

/** Pages of 64 KiB at the start of the memory that belong to the module. */
const MODULE_PAGES = 2
export const PAGE_BYTES = 65_536

/** Pages that a memory can have: 4 GiB. They take up nothing until it has grown to them. */
const MOST_PAGES = 65_536

/** Where the places of the ranks begin. */
export const ROOM_START = MODULE_PAGES * PAGE_BYTES

/** Shared memory with so many bytes behind `ROOM_START`, which can grow. */
export function sharedRoom(bytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory({
    initial: MODULE_PAGES + Math.ceil(bytes / PAGE_BYTES),
    maximum: MOST_PAGES,
    shared: true,
  })
}

/**
 * Sums places of the ranks into `out`, which may be one of them: in rank order, in double precision, rounded once. All lie in
 * the memory, places at one distance from each other.
 */
export type SumPlaces = (out: Floats, places: readonly Floats[]) => void

/** The sums of csrc/sums.c over a memory of `sharedRoom`. */
export function placeSums(memory: WebAssembly.Memory): SumPlaces {
  const module = new WebAssembly.Module(Buffer.from(base64, 'base64'))
  const { sum_f32, sum_f64 } = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Sums
  return (out, places) => {
    const first = places[0].byteOffset
    const stride = places.length > 1 ? places[1].byteOffset - first : 0
    const sum = out instanceof Float32Array ? sum_f32 : sum_f64
    sum(out.byteOffset, first, stride, places.length, out.length)
  }
}

type Sum = (out: number, first: number, stride: number, size: number, length: number) => void

interface Sums {
  readonly sum_f32: Sum
  readonly sum_f64: Sum
}
