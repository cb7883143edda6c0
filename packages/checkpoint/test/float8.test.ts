import { expect, test } from 'vitest'
import {
  float16ToFloat32,
  float8E4M3ToFloat32,
  float8E5M2ToFloat32,
  readSafetensors,
  writeSafetensors,
} from '../src/index.js'

const every = Uint8Array.from({ length: 256 }, (_, i) => i)

test('E5M2 is the upper half of a float16', () => {
  expect(float8E5M2ToFloat32(every)).toEqual(float16ToFloat32(Uint16Array.from(every, (byte) => byte << 8)))
})

test('E4M3: zero, the smallest, one, the largest, NaN, and their negatives', () => {
  const patterns = Uint8Array.of(0, 1, 7, 8, 0x38, 0x7e, 0x7f, 0x80, 0x81, 0xb8, 0xfe, 0xff)
  const values = [0, 2 ** -9, 7 * 2 ** -9, 2 ** -6, 1, 448, NaN, -0, -(2 ** -9), -1, -448, NaN]
  expect([...float8E4M3ToFloat32(patterns)]).toEqual(values)
})

test('E4M3 grows with its pattern', () => {
  const values = float8E4M3ToFloat32(every.subarray(0, 127))
  for (let i = 1; i < values.length; i++) expect(values[i]).toBeGreaterThan(values[i - 1])
})

test('safetensors holds both, and reads them as float32', async () => {
  const data = Uint8Array.of(0x38, 0x3c)
  const file = readSafetensors(
    writeSafetensors({ a: { dtype: 'F8_E4M3', shape: [2], data }, b: { dtype: 'F8_E5M2', shape: [2], data } }),
  )
  expect([...(await file.float32('a'))]).toEqual([1, 1.5])
  expect([...(await file.float32('b'))]).toEqual([0.5, 1])
})
