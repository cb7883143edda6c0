import { expect, test } from 'vitest'
import { rotaryPositions } from '../src/index.js'

test('a head of four turns its first pair by the row and its second by the column', () => {
  const { cos, sin } = rotaryPositions(4, [2, 3])
  const angles = [
    [0, 0],
    [0, 1],
    [0, 2],
    [1, 0],
    [1, 1],
    [1, 2],
  ].flatMap(([r, c]) => [r, r, c, c])
  expect([...cos]).toEqual(angles.map((angle) => Math.fround(Math.cos(angle))))
  expect([...sin]).toEqual(angles.map((angle) => Math.fround(Math.sin(angle))))
})

test('frequencies fall from 1 as powers of 10000', () => {
  const { sin } = rotaryPositions(16, [2, 1])
  const w = [1, 0.1, 0.01, 0.001] // 10000^(-i / 4)
  const wanted = [...w.flatMap((x) => [x, x]), ...w.flatMap(() => [0, 0])].map((angle) => Math.fround(Math.sin(angle)))
  // The powers may differ in the last bit of float64.
  for (const [i, value] of sin.subarray(16).entries()) expect(Math.abs(value - wanted[i])).toBeLessThan(1e-9)
})

test('a larger grid goes on where a smaller one ends, and extra tokens are not turned', () => {
  const [small, large] = [rotaryPositions(8, [1, 2]), rotaryPositions(8, [3, 2], { extraTokens: 2 })]
  expect(large.cos.subarray(16, 32)).toEqual(small.cos)
  expect(large.sin.subarray(16, 32)).toEqual(small.sin)
  expect(new Set(large.cos.subarray(0, 16))).toEqual(new Set([1]))
  expect(new Set(large.sin.subarray(0, 16))).toEqual(new Set([0]))
  expect(large.cos).toHaveLength(8 * 8)
})

test('errors', () => {
  expect(() => rotaryPositions(6, [1, 1])).toThrow(
    new RangeError('rotaryPositions: headDim must be a positive multiple of 4 (got 6)'),
  )
  expect(() => rotaryPositions(8, [0, 1])).toThrow('rotaryPositions: rows of grid must be a positive integer (got 0)')
  expect(() => rotaryPositions(8, [1, 1], { extraTokens: -1 })).toThrow(
    'extraTokens must be a non-negative integer (got -1)',
  )
})
