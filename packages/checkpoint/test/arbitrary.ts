import * as fc from 'fast-check'
import type { StoredArray } from '../src/index.js'

const count = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1)

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })

const names = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '', '0', '1', 'blocks.0.attn.qkv.weight', '"\\\n\u0000é🙂'),
)

/** Arrays of every dtype, with arbitrary bit patterns: NaN payloads, infinities and subnormals among them. */
export const storedArrays: fc.Arbitrary<StoredArray> = shapes.chain((shape) => {
  const size = { minLength: count(shape), maxLength: count(shape) }
  return fc.oneof(
    fc.float64Array(size).map((data): StoredArray => ({ dtype: 'F64', shape, data })),
    fc.float32Array(size).map((data): StoredArray => ({ dtype: 'F32', shape, data })),
    fc.uint16Array(size).map((data): StoredArray => ({ dtype: 'F16', shape, data })),
    fc.uint16Array(size).map((data): StoredArray => ({ dtype: 'BF16', shape, data })),
    fc.bigInt64Array(size).map((data): StoredArray => ({ dtype: 'I64', shape, data })),
    fc.int32Array(size).map((data): StoredArray => ({ dtype: 'I32', shape, data })),
    fc.int16Array(size).map((data): StoredArray => ({ dtype: 'I16', shape, data })),
    fc.int8Array(size).map((data): StoredArray => ({ dtype: 'I8', shape, data })),
    fc.uint8Array(size).map((data): StoredArray => ({ dtype: 'F8_E4M3', shape, data })),
    fc.uint8Array(size).map((data): StoredArray => ({ dtype: 'F8_E5M2', shape, data })),
    fc.bigUint64Array(size).map((data): StoredArray => ({ dtype: 'U64', shape, data })),
    fc.uint32Array(size).map((data): StoredArray => ({ dtype: 'U32', shape, data })),
    fc.uint16Array(size).map((data): StoredArray => ({ dtype: 'U16', shape, data })),
    fc.uint8Array(size).map((data): StoredArray => ({ dtype: 'U8', shape, data })),
    fc.uint8Array({ ...size, max: 1 }).map((data): StoredArray => ({ dtype: 'BOOL', shape, data })),
  )
})

/** Names, ugly ones among them, to arrays, in any order. */
export const namedArrays: fc.Arbitrary<Map<string, StoredArray>> = fc
  .uniqueArray(fc.tuple(names, storedArrays), { maxLength: 6, selector: ([name]) => name })
  .map((entries) => new Map(entries.filter(([name]) => name !== '__metadata__')))

export const metadatas: fc.Arbitrary<Record<string, string>> = fc.dictionary(names, fc.string({ unit: 'binary' }), {
  maxKeys: 4,
})
