import { broadcastShapes, formatShape, sameShape, sizeOf, stridesOf } from '@dit/tensor'
import { expect, test } from 'vitest'

test('sizes, strides and text', () => {
  expect([sizeOf([]), sizeOf([2, 3, 4]), sizeOf([2, 0])]).toEqual([1, 24, 0])
  expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1])
  expect(stridesOf([])).toEqual([])
  expect(formatShape([2, 3])).toBe('[2, 3]')
  expect([sameShape([2], [2]), sameShape([2], [2, 1]), sameShape([], [])]).toEqual([true, false, true])
})

test('shapes broadcast from the end', () => {
  expect(broadcastShapes('test', [2, 1, 3], [4, 1])).toEqual([2, 4, 3])
  expect(broadcastShapes('test', [], [2, 3])).toEqual([2, 3])
  expect(broadcastShapes('test', [1], [0])).toEqual([0])
  expect(() => broadcastShapes('test', [2, 3], [3, 2])).toThrow(
    new RangeError('test: shapes must broadcast (got [2, 3] and [3, 2])'),
  )
})
