import { bytesOf, requireData, type StoredArray } from '../dtype.js'
import { quote } from '../quote.js'
import { layoutSafetensors, type NamedTensors } from './layout.js'

/**
 * A safetensors file in memory. The same input gives the same bytes.
 *
 *     const bytes = writeSafetensors({ weight: { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) } })
 *
 * The header lists the tensors in the given order; the data stands with the widest elements first, so that every tensor is
 * aligned to its element size. Use a Map where names look like integers (an object would reorder them).
 *
 * @param metadata strings to keep with the tensors, under `__metadata__`
 * @returns the whole file, which belongs to the caller
 * @throws TypeError on an unknown dtype, data of another kind than the dtype needs, or metadata that is not a string
 * @throws RangeError on a shape that does not match the data, or a header beyond 100 MB
 */
export function writeSafetensors(
  tensors: NamedTensors<StoredArray>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const { head, placed, size } = layoutSafetensors('writeSafetensors', tensors, metadata)
  for (const { name, tensor } of placed) {
    requireData(`writeSafetensors: tensor ${quote(name)}`, tensor, tensor.data)
  }
  const bytes = new Uint8Array(size)
  bytes.set(head)
  for (const { tensor, byteOffset } of placed) bytes.set(bytesOf(tensor.data), byteOffset)
  return bytes
}
