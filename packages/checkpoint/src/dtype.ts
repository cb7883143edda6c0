/**
 * The typed array that holds each dtype. F16 and BF16 are held as their 16-bit patterns, the float8 types as their bytes, BOOL as
 * bytes 0 and 1.
 */
export interface StoredDataOf {
  F64: Float64Array
  F32: Float32Array
  F16: Uint16Array
  BF16: Uint16Array
  F8_E4M3: Uint8Array
  F8_E5M2: Uint8Array
  I64: BigInt64Array
  I32: Int32Array
  I16: Int16Array
  I8: Int8Array
  U64: BigUint64Array
  U32: Uint32Array
  U16: Uint16Array
  U8: Uint8Array
  BOOL: Uint8Array
}

/** Name of an element type, as safetensors writes it. The same names serve npy files. */
export type StoredDType = keyof StoredDataOf

/**
 * An array as it stands in a file: dtype, shape and the elements in row-major order.
 *
 * `data` has as many elements as the product of `shape` (1 for the scalar shape `[]`). Its kind follows from `dtype`, see
 * `StoredDataOf`.
 */
export type StoredArray = {
  [D in StoredDType]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: StoredDataOf[D] }
}[StoredDType]

/** Dtype and shape without the elements. */
export interface StoredSpec {
  readonly dtype: StoredDType
  readonly shape: readonly number[]
}

const arrayTypes = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  F8_E4M3: Uint8Array,
  F8_E5M2: Uint8Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const

/** Every dtype name: floats, then integers. */
export const storedDTypes = Object.keys(arrayTypes) as readonly StoredDType[]

export function isStoredDType(name: string): name is StoredDType {
  return Object.hasOwn(arrayTypes, name)
}

/** Bytes of one element. */
export function itemBytes(dtype: StoredDType): number {
  return arrayTypes[dtype].BYTES_PER_ELEMENT
}

/** Bytes of a whole array, or undefined where the count passes 2^53 - 1. */
export function arrayBytes({ dtype, shape }: StoredSpec): number | undefined {
  let bytes = itemBytes(dtype)
  for (const size of shape) {
    bytes *= size
    if (bytes > Number.MAX_SAFE_INTEGER) return undefined
  }
  return bytes
}

/**
 * The elements that little-endian `bytes` hold. Where the bytes are aligned to the element size the result is a view of
 * them, else a copy.
 */
export function elementsOf(spec: StoredSpec, bytes: Uint8Array): StoredArray {
  requireLittleEndian()
  const ArrayType = arrayTypes[spec.dtype]
  const aligned = bytes.byteOffset % ArrayType.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes)
  const length = bytes.byteLength / ArrayType.BYTES_PER_ELEMENT
  const data = new ArrayType(aligned.buffer as ArrayBuffer, aligned.byteOffset, length)
  return { dtype: spec.dtype, shape: spec.shape, data } as StoredArray
}

/** The little-endian bytes of an array's elements, a view. */
export function bytesOf(data: StoredArray['data']): Uint8Array {
  requireLittleEndian()
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/**
 * Checks an array that a caller wants written; `who` begins the message.
 *
 * @throws TypeError on an unknown dtype or elements of another kind than the dtype needs
 * @throws RangeError on a shape that is not a list of non-negative integers
 */
export function requireSpec(who: string, { dtype, shape }: StoredSpec): void {
  if (!isStoredDType(dtype))
    throw new TypeError(`${who}: dtype must be one of ${storedDTypes.join(', ')} (${String(dtype)})`)
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new RangeError(`${who}: shape must hold non-negative integers ([${String(shape)}])`)
  }
  if (arrayBytes({ dtype, shape }) === undefined) {
    throw new RangeError(`${who}: shape must stay below 2^53 bytes ([${shape.join(', ')}])`)
  }
}

/**
 * Checks the elements that come with a spec; `who` begins the message.
 *
 * @throws TypeError when `data` is not the typed array of `dtype`
 * @throws RangeError when its length is not the product of `shape`, or a BOOL is neither 0 nor 1
 */
export function requireData(who: string, spec: StoredSpec, data: unknown): asserts data is StoredArray['data'] {
  const wanted = arrayTypes[spec.dtype].name
  // The tag, unlike instanceof, also knows typed arrays of another realm (a worker, a frame).
  const came = ArrayBuffer.isView(data) ? String(Reflect.get(data, Symbol.toStringTag)) : typeof data
  if (came !== wanted) throw new TypeError(`${who}: ${spec.dtype} data must be a ${wanted} (${came})`)
  const { byteLength, length } = data as Uint8Array
  if (byteLength !== arrayBytes(spec)) {
    throw new RangeError(`${who}: shape [${spec.shape.join(', ')}] must match the data (${length} elements)`)
  }
  if (spec.dtype === 'BOOL') {
    const odd = (data as Uint8Array).find((value) => value > 1)
    if (odd !== undefined) throw new RangeError(`${who}: BOOL data must be 0 or 1 (${odd})`)
  }
}

/** Both formats are little-endian; on other hosts a view would silently swap every number. */
function requireLittleEndian(): void {
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) throw new Error('checkpoint: needs a little-endian machine')
}
