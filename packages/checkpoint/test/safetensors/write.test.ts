import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readSafetensors, SafetensorsError, writeSafetensors, type StoredArray } from '../../src/index.js'
import { metadatas, namedArrays } from '../arbitrary.js'
import { caught, unless } from '../caught.js'

const u8 = (...values: number[]): StoredArray => ({
  dtype: 'U8',
  shape: [values.length],
  data: Uint8Array.from(values),
})
const f32 = (...values: number[]): StoredArray => ({
  dtype: 'F32',
  shape: [values.length],
  data: Float32Array.from(values),
})

const bits = (array: StoredArray) => new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength)

test('writes the bytes worked out by hand', () => {
  const json = '{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
  const bytes = writeSafetensors({ a: f32(1) }, { k: 'v' })
  expect(bytes.slice(0, 8)).toEqual(Uint8Array.of(80, 0, 0, 0, 0, 0, 0, 0))
  expect(new TextDecoder().decode(bytes.subarray(8, 88))).toBe(`${json} `) // 79 characters and one of padding
  expect(bytes.slice(88)).toEqual(Uint8Array.of(0, 0, 0x80, 0x3f))
})

test('puts wide elements first, so that every tensor is aligned, and keeps the order in the header', () => {
  const wide: StoredArray = { dtype: 'I64', shape: [1], data: BigInt64Array.of(7n) }
  const { entries } = readSafetensors(writeSafetensors({ odd: u8(1, 2, 3), a: f32(1), wide, b: f32(2) }))
  expect([...entries.keys()]).toEqual(['odd', 'a', 'wide', 'b'])
  const inFile = [...entries].toSorted(([, x], [, y]) => x.byteOffset - y.byteOffset)
  expect(inFile.map(([name]) => name)).toEqual(['wide', 'a', 'b', 'odd'])
  expect(entries.get('wide')!.byteOffset % 8).toBe(0)
  expect(entries.get('a')!.byteOffset % 4).toBe(0)
})

test('reads only the part of a buffer that a view shows', async () => {
  const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3)
  const file = readSafetensors(writeSafetensors({ a: { dtype: 'F32', shape: [2, 1], data } }))
  expect(await file.tensor('a')).toEqual({ dtype: 'F32', shape: [2, 1], data: Float32Array.of(2, 3) })
})

test('leaves no trace of empty metadata and needs no tensors', () => {
  expect(new TextDecoder().decode(writeSafetensors({}).subarray(8))).toBe('{}      ')
})

test('what is written reads back, bit for bit and in order', async () => {
  await fc.assert(
    fc.asyncProperty(namedArrays, metadatas, async (arrays, metadata) => {
      const file = readSafetensors(writeSafetensors(arrays, metadata))
      expect([...file.entries.keys()]).toEqual([...arrays.keys()])
      expect(Object.entries(file.metadata)).toEqual(Object.entries(metadata))
      for (const [name, array] of arrays) {
        const read = await file.tensor(name)
        expect([read.dtype, read.shape]).toEqual([array.dtype, array.shape])
        expect(Object.prototype.toString.call(read.data)).toBe(Object.prototype.toString.call(array.data))
        expect(bits(read)).toEqual(bits(array))
      }
    }),
    { numRuns: 150 },
  )
})

test('a file with changed bytes is refused by name or still well-formed', async () => {
  const original = writeSafetensors(
    { a: f32(1, 2), 'b.weight': u8(1, 2, 3), c: { dtype: 'BOOL', shape: [2, 1], data: Uint8Array.of(0, 1) } },
    { note: 'é' },
  )
  // Most changes in the header and its length, where the format's rules are.
  const headerEnd = 8 + Number(new DataView(original.buffer).getBigUint64(0, true))
  const places = fc.oneof(fc.nat(headerEnd - 1), fc.nat(7), fc.nat(original.length - 1))
  const characters = fc.constantFrom(...Buffer.from('{}[]",:0123456789-.e \\uFBI'))
  const changes = fc.array(fc.tuple(places, fc.oneof(fc.nat(255), characters)), { minLength: 1, maxLength: 4 })
  let refused = 0
  await fc.assert(
    fc.asyncProperty(changes, async (list) => {
      const bytes = original.slice()
      for (const [place, value] of list) bytes[place] = value
      const lengths = await unless(SafetensorsError, lengthsOf(bytes))
      if (!lengths) refused++
      expect(lengths?.came).toEqual(lengths?.promised)
    }),
    { numRuns: 2000 },
  )
  expect(refused).toBeGreaterThan(500)
})

/** Element counts of a file's tensors, as the shapes promise and as they came. */
async function lengthsOf(bytes: Uint8Array): Promise<{ promised: number[]; came: number[] }> {
  const file = readSafetensors(bytes)
  const promised = [...file.entries.values()].map(({ shape }) => shape.reduce((product, size) => product * size, 1))
  const arrays = await Promise.all([...file.entries.keys()].map((name) => file.tensor(name)))
  return { promised, came: arrays.map(({ data }) => data.length) }
}

describe('refuses', () => {
  const one = Float32Array.of(1)
  const cases: [string, () => unknown, typeof RangeError | typeof TypeError, string][] = [
    [
      'an unknown dtype',
      () => writeSafetensors({ a: { dtype: 'F8', shape: [1], data: one } as never }),
      TypeError,
      'writeSafetensors: tensor "a": dtype must be one of F64, F32, F16, BF16, F8_E4M3, F8_E5M2, I64, I32, I16, I8, U64, U32, U16, U8, BOOL (F8)',
    ],
    [
      'data of another kind',
      () => writeSafetensors({ a: { dtype: 'F16', shape: [1], data: one } as never }),
      TypeError,
      'tensor "a": F16 data must be a Uint16Array (Float32Array)',
    ],
    [
      'data that is a list',
      () => writeSafetensors({ a: { dtype: 'F32', shape: [1], data: [1] } as never }),
      TypeError,
      'F32 data must be a Float32Array (object)',
    ],
    [
      'a shape that does not match',
      () => writeSafetensors({ a: { dtype: 'F32', shape: [2, 2], data: one } }),
      RangeError,
      'tensor "a": shape [2, 2] must match the data (1 elements)',
    ],
    [
      'a negative size',
      () => writeSafetensors({ a: { dtype: 'F32', shape: [-1, -1], data: one } }),
      RangeError,
      'tensor "a": shape must hold non-negative integers ([-1,-1])',
    ],
    [
      'a shape that overflows',
      () => writeSafetensors({ a: { dtype: 'F32', shape: [2 ** 30, 2 ** 30], data: one } }),
      RangeError,
      'shape must stay below 2^53 bytes',
    ],
    [
      'a BOOL of 2',
      () => writeSafetensors({ a: { dtype: 'BOOL', shape: [1], data: Uint8Array.of(2) } }),
      RangeError,
      'tensor "a": BOOL data must be 0 or 1 (2)',
    ],
    [
      'metadata that is a number',
      () => writeSafetensors({}, { step: 1 as never }),
      TypeError,
      'metadata "step" must be a string (number)',
    ],
    [
      'a tensor called __metadata__',
      () => writeSafetensors({ __metadata__: f32(1) }),
      RangeError,
      'a tensor must not be called "__metadata__"',
    ],
    ['half a surrogate pair', () => writeSafetensors({ '\ud800': f32(1) }), RangeError, 'must be well-formed Unicode'],
    [
      'metadata beyond the header limit',
      () => writeSafetensors({}, { a: 'x'.repeat(100_000_000) }),
      RangeError,
      'the header must be at most 100000000 bytes',
    ],
  ]
  test.each(cases)('%s', (_, write, kind, text) => {
    const error = caught(write)
    expect(error.slice(0, error.indexOf(':'))).toBe(kind.name)
    expect(error).toContain(text)
  })
})
