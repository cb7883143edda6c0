import { expect, test } from 'vitest'
import { tokenGrid } from '../src/token-grid.js'

test('counts patches of squares and rectangles', () => {
  expect(tokenGrid(32, 2)).toEqual([16, 16])
  expect(tokenGrid([16, 48], 8)).toEqual([2, 6])
  expect(tokenGrid(5, 1)).toEqual([5, 5])
  expect(tokenGrid([7, 7], 7)).toEqual([1, 1])
})

test('rejects sizes that do not divide', () => {
  expect(() => tokenGrid([30, 32], 4)).toThrow(
    new RangeError('tokenGrid: height 30 is not a multiple of patchSize 4 (inputSize is [30, 32])'),
  )
  expect(() => tokenGrid([32, 30], 4)).toThrow('tokenGrid: width 30 is not a multiple of patchSize 4')
})

test('rejects sizes that are no positive integers', () => {
  expect(() => tokenGrid(32, 0)).toThrow(new RangeError('tokenGrid: patchSize must be a positive integer (got 0)'))
  expect(() => tokenGrid([0, 4], 2)).toThrow('tokenGrid: height must be a positive integer (got 0)')
  expect(() => tokenGrid(4.5, 1.5)).toThrow('tokenGrid: patchSize must be a positive integer (got 1.5)')
})
