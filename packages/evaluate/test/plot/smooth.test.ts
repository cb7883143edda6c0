import { expect, test } from 'vitest'
import { defaultWindow, smooth } from '../../src/plot/smooth.js'

test('smoothing averages a window, narrower at the start, cut at the end', () => {
  expect(smooth([3, 6, 0, 9, 3], 3)).toEqual([3, 3, 5, 4, 6])
  expect(smooth([5, 1, 4], 1)).toEqual([5, 1, 4])
  expect(smooth([2, 2, 2, 2], 99)).toEqual([2, 2, 2, 2])
  expect([1, 100, 150, 4300].map(defaultWindow)).toEqual([1, 3, 3, 87])
})
