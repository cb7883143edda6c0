import { expect, test } from 'vitest'
import { mergedWalk, stretchedStrides } from '../src/index.js'

test('neighbours merge where every operand runs through both without a break', () => {
  const dense = [12, 4, 1]
  expect(mergedWalk('test', { shape: [2, 3, 4], strides: [dense, dense] })).toEqual({
    shape: [24],
    strides: [[1], [1]],
  })
  // The second is the same row for all of axis 0.
  expect(mergedWalk('test', { shape: [2, 3, 4], strides: [dense, [0, 4, 1]] })).toEqual({
    shape: [2, 12],
    strides: [
      [12, 1],
      [0, 1],
    ],
  })
})

test('axes of extent 1 go, and one axis is left of a scalar', () => {
  expect(mergedWalk('test', { shape: [1, 5, 1], strides: [[99, 1, 7]] })).toEqual({ shape: [5], strides: [[1]] })
  expect(mergedWalk('test', { shape: [], strides: [[], []] })).toEqual({ shape: [1], strides: [[1], [1]] })
})

test('a stretched axis has stride 0, a missing one too', () => {
  expect(stretchedStrides([3, 1], [2, 3, 4])).toEqual([0, 1, 0])
})

test('more than 6 axes that cannot merge are refused', () => {
  const shape = [2, 2, 2, 2, 2, 2, 2]
  const strides = [shape.map((_, axis) => 3 ** axis)]
  expect(() => mergedWalk('copy', { shape, strides })).toThrow('copy: at most 6 axes can differ in layout (got 7)')
})
