import { expect, test } from 'vitest'
import { areaMeans } from '../../src/small/area-means.js'

const plane = (height: number, width: number, data: number[]) => ({ height, width, data: Float64Array.from(data) })

test('pairs of pixels become their means', () => {
  const half = areaMeans([2, 4], 1, 2)
  expect([...half(plane(2, 4, [1, 3, 5, 5, 1, 3, 7, 7])).data]).toEqual([2, 6])
})

test('a pixel that two cells share counts half in either', () => {
  // Cells of 1.5 pixels: 1 + 0.5 * 4 and 0.5 * 4 + 7, divided by 1.5.
  const [left, right] = areaMeans([1, 3], 1, 2)(plane(1, 3, [1, 4, 7])).data
  expect(left).toBeCloseTo(2, 14)
  expect(right).toBeCloseTo(6, 14)
})

test('cells smaller than pixels take the pixel that they lie in', () => {
  expect([...areaMeans([1, 2], 1, 4)(plane(1, 2, [3, 9])).data]).toEqual([3, 3, 9, 9])
})

test('the mean of the cells is the mean of the plane, for sizes that do not divide', () => {
  const data = Array.from({ length: 13 * 29 }, (_, i) => Math.sin(i * i))
  const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length
  const cells = areaMeans([13, 29], 4, 8)(plane(13, 29, data))
  expect([cells.height, cells.width, cells.data.length]).toEqual([4, 8, 32])
  expect(mean([...cells.data])).toBeCloseTo(mean(data), 14)
})

test('a second call does not see the first', () => {
  const means = areaMeans([2, 2], 1, 1)
  means(plane(2, 2, [9, 9, 9, 9]))
  expect([...means(plane(2, 2, [1, 2, 3, 4])).data]).toEqual([2.5])
})
