import { asBytes } from '../byte-source.js'
import { bytesOf, elementsOf, requireData, requireSpec, type StoredArray, type StoredSpec } from '../dtype.js'
import { failFor, type Fail } from './error.js'
import { descrOfDType, npyHeadBytes, parseNpyHeader } from './npy-header.js'

/**
 * Reads an npy file (versions 1.0 and 2.0) in C order and little-endian: f8, f4, f2, i8, i4, i2, i1, u8, u4, u2, u1,
 * b1.
 *
 * @returns the array under the package's dtype names (`'F32'` for f4); the caller owns it. `data.buffer` is longer than
 *   `data`: it holds the header too
 * @throws NpyError on anything else: records, Fortran order, other dtypes, bytes missing or left over
 */
export function readNpy(bytes: Uint8Array | ArrayBuffer): StoredArray {
  return parseNpy(asBytes('readNpy', bytes).slice(), failFor('npy'))
}

/**
 * An array as an npy file of version 1.0. The same input gives the same bytes, those that numpy writes.
 *
 * @throws TypeError on BF16 and float8, which npy has no name for, an unknown dtype or data of another kind
 * @throws RangeError on a shape that does not match the data
 */
export function writeNpy(array: StoredArray): Uint8Array<ArrayBuffer> {
  return formatNpy('writeNpy', array)
}

/** As `readNpy`, from bytes that the caller gives away: the array is a view of them where alignment allows. */
export function parseNpy(bytes: Uint8Array, fail: Fail): StoredArray {
  const header = parseNpyHeader(bytes.subarray(0, npyHeadBytes), fail)
  const came = bytes.length - header.byteOffset
  if (came !== header.byteLength) {
    throw fail(`${header.dtype} [${header.shape.join(', ')}] must have ${header.byteLength} bytes (${came})`)
  }
  const spec = { dtype: header.dtype, shape: header.shape }
  const array = elementsOf(spec, bytes.subarray(header.byteOffset))
  const odd = array.dtype === 'BOOL' ? array.data.find((value) => value > 1) : undefined
  if (odd !== undefined) throw fail(`booleans must be stored as 0 or 1 (${odd})`)
  return array
}

export function formatNpy(who: string, array: StoredArray): Uint8Array<ArrayBuffer> {
  requireSpec(who, array)
  requireData(who, array, array.data)
  const head = npyHead(who, array)
  const bytes = new Uint8Array(head.length + array.data.byteLength)
  bytes.set(head)
  bytes.set(bytesOf(array.data), head.length)
  return bytes
}

/** What stands before the elements in an npy file of version 1.0. */
export function npyHead(who: string, { dtype, shape }: StoredSpec): Uint8Array<ArrayBuffer> {
  const descr = descrOfDType.get(dtype)
  if (!descr) throw new TypeError(`${who}: npy has no ${dtype}; convert it to float32 first`)
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`
  // Numpy ends the header on a multiple of 64 bytes with spaces and a line feed.
  const byteOffset = Math.ceil((10 + dict.length + 1) / 64) * 64
  if (byteOffset > npyHeadBytes) throw new RangeError(`${who}: shape has too many axes (${shape.length})`)
  const head = new Uint8Array(byteOffset)
  head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0])
  new DataView(head.buffer).setUint16(8, byteOffset - 10, true)
  new TextEncoder().encodeInto(`${dict.padEnd(byteOffset - 11)}\n`, head.subarray(10))
  return head
}
