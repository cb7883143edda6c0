import type { View } from '../backend.js'
import { type TensorData, typedArray } from '../dtype.js'
import { sizeOf } from '../shape.js'

/** Values of a view, sharing its memory. */
export function values(view: View): Exclude<TensorData, Uint16Array> {
  return typedArray(view.dtype, sizeOf(view.shape), view.buffer as ArrayBuffer, view.byteOffset) as Exclude<
    TensorData,
    Uint16Array
  >
}
