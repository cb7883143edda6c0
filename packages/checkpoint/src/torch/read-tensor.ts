import { arrayBytes, elementsOf, itemBytes, type StoredArray } from '../dtype.js'
import type { TorchTensor } from './value.js'

/** Reads bytes of a storage, counted from its own start. */
export type ReadStorage = (start: number, end: number) => Promise<Uint8Array>

/**
 * The elements of a tensor in row-major order. Where they stand so in the file, they are read straight into the result; else
 * the range of the storage that holds them is read and they are picked out of it.
 */
export async function readTensor(
  tensor: TorchTensor,
  readAsStored: ReadStorage,
  isBigEndian = false,
): Promise<StoredArray> {
  const { dtype, shape, strides, offset } = tensor
  const spec = { dtype, shape }
  const bytes = arrayBytes(spec)!
  const size = itemBytes(dtype)
  const read: ReadStorage = async (start, end) => {
    const stored = await readAsStored(start, end)
    return isBigEndian ? reversed(stored, size) : stored
  }
  if (bytes === 0) return elementsOf(spec, new Uint8Array())
  if (isRowMajor(tensor)) return elementsOf(spec, await read(offset * size, offset * size + bytes))
  const extent = 1 + shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis], 0)
  const range = await read(offset * size, (offset + extent) * size)
  return elementsOf(spec, gathered(range, tensor, size))
}

/** Each element with its bytes the other way round. */
function reversed(bytes: Uint8Array, size: number): Uint8Array {
  const turned = new Uint8Array(bytes.length)
  for (let at = 0; at < bytes.length; at++) turned[at - (at % size) + (size - 1 - (at % size))] = bytes[at]
  return turned
}

function isRowMajor({ shape, strides }: TorchTensor): boolean {
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false
    expected *= shape[axis]
  }
  return true
}

/** Whole words are moved, not numbers: a NaN keeps its bits. */
function gathered(range: Uint8Array, { shape, strides }: TorchTensor, size: number): Uint8Array {
  const Words = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }[size]!
  const aligned = range.byteOffset % size === 0 ? range : range.slice()
  const from = new Words(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / size)
  const count = shape.reduce((product, length) => product * length, 1)
  const to = new Words(count)
  const index = shape.map(() => 0)
  let place = 0
  for (let i = 0; i < count; i++) {
    to[i] = from[place]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += strides[axis]
      if (++index[axis] < shape[axis]) break
      place -= strides[axis] * shape[axis]
      index[axis] = 0
    }
  }
  return new Uint8Array(to.buffer)
}
