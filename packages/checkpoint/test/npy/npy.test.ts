import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NpyError, readNpy, writeNpy, type StoredArray } from '../../src/index.js'
import { storedArrays } from '../arbitrary.js'
import { caught } from '../caught.js'

/** An npy file with any header text at all. */
function npy(dict: string, data: Uint8Array = new Uint8Array(), version: [number, number] = [1, 0]): Uint8Array {
  const text = new TextEncoder().encode(dict)
  const lengthBytes = version[0] === 1 ? 2 : 4
  const bytes = new Uint8Array(8 + lengthBytes + text.length + data.length)
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), ...version])
  const view = new DataView(bytes.buffer)
  if (lengthBytes === 2) view.setUint16(8, text.length, true)
  else view.setUint32(8, text.length, true)
  bytes.set(text, 8 + lengthBytes)
  bytes.set(data, 8 + lengthBytes + text.length)
  return bytes
}

/** A header with these Python literals. */
const dict = (descr: string, order: string, shape: string) =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`

const pair = { dtype: 'I16', shape: [2], data: Int16Array.of(1, -2) } satisfies StoredArray
const pairBytes = Uint8Array.of(1, 0, 0xfe, 0xff)

test('writes what numpy.save writes', () => {
  const dict = "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }"
  expect(writeNpy(pair)).toEqual(npy(`${dict.padEnd(117)}\n`, pairBytes)) // 128 bytes up to the elements
})

test('reads versions 1.0 and 2.0, any spacing, either quote, keys in any order', () => {
  expect(readNpy(npy("{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }\n", pairBytes))).toEqual(pair)
  expect(readNpy(npy("{'shape':(2,),'fortran_order':False,'descr':'<i2'}", pairBytes, [2, 0]))).toEqual(pair)
  expect(readNpy(npy(' {"shape" : ( 2 , ) , "descr":"<i2", "fortran_order": False }  ', pairBytes))).toEqual(pair)
})

test.each<StoredArray>([
  { dtype: 'F32', shape: [], data: Float32Array.of(1.5) },
  { dtype: 'F64', shape: [0, 3], data: new Float64Array() },
  { dtype: 'U8', shape: [1, 2, 1, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) },
])('scalars, empty arrays and images come back: $dtype $shape', (array) => {
  expect(readNpy(writeNpy(array))).toEqual(array)
})

test('what is written reads back, bit for bit', () => {
  const writable = storedArrays.filter(({ dtype }) => !/^BF16|F8/.test(dtype))
  fc.assert(
    fc.property(writable, (array) => {
      expect(readNpy(writeNpy(array))).toEqual(array)
    }),
  )
})

test('a file with changed bytes is refused by name or still well-formed', () => {
  const original = writeNpy({ dtype: 'F32', shape: [2, 3], data: new Float32Array(6) })
  const characters = fc.constantFrom(...Buffer.from("{}()',:<|0123456789fiub TF"))
  const change = fc.tuple(fc.oneof(fc.nat(75), fc.nat(original.length - 1)), fc.oneof(fc.nat(255), characters))
  let refused = 0
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (list) => {
      const bytes = original.slice()
      for (const [place, value] of list) bytes[place] = value
      const array = readOrError(bytes)
      if (array instanceof NpyError) refused++
      else if (array.data.length !== array.shape.reduce((product, size) => product * size, 1))
        throw new Error('malformed')
    }),
    { numRuns: 2000 },
  )
  expect(refused).toBeGreaterThan(500)
})

function readOrError(bytes: Uint8Array): StoredArray | NpyError {
  try {
    return readNpy(bytes)
  } catch (error) {
    if (error instanceof NpyError) return error
    throw error
  }
}

describe('refuses', () => {
  const read = (text: string, data = pairBytes) => caught(() => readNpy(npy(text, data)))
  const good = dict("'<i2'", 'False', '(2,)')

  test.each([
    ['another magic', Uint8Array.from('not an npy', (c) => c.charCodeAt(0)), 'npy: must begin with the npy magic'],
    ['an empty file', new Uint8Array(), 'must begin with the npy magic'],
    ['version 3.0', npy(good, pairBytes, [3, 0]), 'version must be 1.0 or 2.0 (3.0)'],
    ['a header past the end', npy(good).subarray(0, 30), 'is cut short within its header'],
    ['a length past the end', npy('', new Uint8Array(), [2, 0]).subarray(0, 11), 'is cut short within its header'],
    ['a huge header', npy(' '.repeat(70_000), pairBytes, [2, 0]), 'header must end within 65536 bytes (70012)'],
  ])('%s', (_, bytes, text) => {
    expect(caught(() => readNpy(bytes))).toContain(text)
    expect(() => readNpy(bytes)).toThrow(NpyError)
  })

  test.each([
    [
      'big-endian numbers',
      dict("'>i2'", 'False', '(2,)'),
      'descr must be one of <f8, <f4, <f2, <i8, <i4, <i2, |i1, <u8, <u4, <u2, |u1, |b1 (">i2")',
    ],
    ['complex numbers', dict("'<c8'", 'False', '(2,)'), '("<c8")'],
    ['objects', dict("'|O'", 'False', '(2,)'), '("|O")'],
    ['records', dict("[('a', '<i2')]", 'False', '(2,)'), 'a plain dtype as descr (records are not supported)'],
    ['Fortran order', dict("'<i2'", 'True', '(2,)'), 'elements must be in C order (fortran_order is True)'],
    ['a number as order', dict("'<i2'", '0', '(2,)'), 'expected True or False'],
    [
      'a negative size',
      dict("'<i2'", 'False', '(-2,)'),
      'expected a non-negative integer at character 51, found "-2,), }"',
    ],
    ['a fraction', dict("'<i2'", 'False', '(2.0,)'), 'expected a non-negative integer'],
    ['no tuple', dict("'<i2'", 'False', '(2)'), '"(n)" is not a tuple, "(n,)" is'],
    ['a list', dict("'<i2'", 'False', '[2]'), 'expected a tuple'],
    ['a size of 2^53', dict("'<i2'", 'False', '(9007199254740992,)'), 'shape must hold integers below 2^53'],
    ['sizes that overflow', dict("'<i2'", 'False', '(4294967296, 4294967296)'), 'must stay below 2^53 bytes'],
    ['a missing key', "{'descr': '<i2', 'shape': (2,)}", 'header must have descr, fortran_order and shape'],
    ['a key twice', good.replace('}', "'descr': '<i2'}"), 'each once ("descr")'],
    ['an unknown key', good.replace('}', "'x': 1}"), 'each once ("x")'],
    ['text after the end', `${good} x`, 'expected the end'],
    ['no dict', '(2,)', 'expected "{" at character 0, found "(2,)"'],
    ['nesting', '{'.repeat(60_000), 'expected a key at character 1'],
    ['spaces without end', ' '.repeat(60_000), 'expected "{" at character 60000'],
  ])('%s', (_, text, problem) => {
    expect(read(text)).toContain('NpyError: npy: ')
    expect(read(text)).toContain(problem)
  })

  test('missing and left-over bytes, before anything is allocated', () => {
    expect(read(good, pairBytes.subarray(1))).toContain('I16 [2] must have 4 bytes (3)')
    expect(read(good, Uint8Array.of(1, 2, 3, 4, 5))).toContain('I16 [2] must have 4 bytes (5)')
    expect(read(dict("'<f8'", 'False', '(1000000000000,)'))).toContain('must have 8000000000000 bytes (4)')
  })

  test('a boolean of 2', () => {
    expect(read(dict("'|b1'", 'False', '(1,)'), Uint8Array.of(2))).toContain('booleans must be stored as 0 or 1 (2)')
  })

  test('to write bfloat16', () => {
    const array: StoredArray = { dtype: 'BF16', shape: [1], data: Uint16Array.of(0) }
    expect(caught(() => writeNpy(array))).toBe('TypeError: writeNpy: npy has no BF16; convert it to float32 first')
  })

  test('to write a shape that does not match', () => {
    const array: StoredArray = { dtype: 'U8', shape: [3], data: Uint8Array.of(0) }
    expect(caught(() => writeNpy(array))).toBe('RangeError: writeNpy: shape [3] must match the data (1 elements)')
  })
})
