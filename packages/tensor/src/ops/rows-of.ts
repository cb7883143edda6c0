import type { View } from '../backend.js'
import { sizeOf } from '../shape.js'

/** As kernels of rows want it: `[M, K]`, every axis but the last in one. */
export function rowsOf({ buffer, byteOffset, shape, dtype }: View): View {
  return { buffer, byteOffset, shape: [sizeOf(shape.slice(0, -1)), shape.at(-1)!], dtype }
}
