import { averagePool2d, maxPool2d, type Pool2dOptions, sum, type Tensor, tensor, valueAndGrad } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

const image = (values: readonly number[], shape: readonly number[]) => tensor(values, shape, { backend })
const nine = image([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3])
const pools: Readonly<Record<string, (x: Tensor, options: Pool2dOptions) => Tensor>> = { maxPool2d, averagePool2d }

test('by hand: the stride is the window where none is given', async () => {
  const x = image([1, 2, 5, 6, 3, 4, 7, 8, 9, 9, 9, 9], [1, 1, 3, 4])
  const largest = maxPool2d(x, { window: 2 })
  expect(largest.shape).toEqual([1, 1, 1, 2])
  expect(await numbers(largest)).toEqual([4, 8])
  expect(await numbers(averagePool2d(x, { window: 2 }))).toEqual([2.5, 6.5])
})

test('by hand: neither the maximum nor the mean counts what lies outside', async () => {
  const negative = image([-1, -2, -3, -4, -5, -6, -7, -8, -9], [1, 1, 3, 3])
  expect(await numbers(maxPool2d(negative, { window: 3, stride: 1, padding: 1 }))).toEqual([
    -1, -1, -2, -1, -1, -2, -4, -4, -5,
  ])
  expect(await numbers(averagePool2d(nine, { window: 3, stride: 1, padding: 1 }))).toEqual([
    3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7,
  ])
})

test('by hand: rectangular windows and strides, and padding on one side', async () => {
  expect(await numbers(maxPool2d(nine, { window: [1, 3] }))).toEqual([3, 6, 9])
  expect(await numbers(averagePool2d(nine, { window: [3, 1] }))).toEqual([4, 5, 6])
  expect(await numbers(maxPool2d(nine, { window: [2, 1], stride: [1, 2] }))).toEqual([4, 6, 7, 9])
  expect(await numbers(averagePool2d(nine, { window: 2, padding: { left: 1, bottom: 1 } }))).toEqual([2.5, 4, 7, 8.5])
})

test('by hand: ceil keeps a last window that begins inside the image, and no other', async () => {
  expect(await numbers(maxPool2d(nine, { window: 2, ceil: true }))).toEqual([5, 6, 8, 9])
  expect(await numbers(averagePool2d(nine, { window: 2, ceil: true }))).toEqual([3, 4.5, 7.5, 9])
  // Three windows would fit [5, 5] with ceil, but the third would begin below the image.
  const padded = { window: 2, stride: 2, padding: { top: 1, bottom: 1, left: 1, right: 1 }, ceil: true }
  expect(maxPool2d(nine, padded).shape).toEqual([1, 1, 2, 2])
})

test('a window of the size of the image gives one value a channel', async () => {
  const x = draw('x', [2, 3, 5, 7])
  const values = await numbers(x)
  const planes = Array.from({ length: 6 }, (_, plane) => values.slice(plane * 35, plane * 35 + 35))
  expect(await numbers(maxPool2d(x, { window: [5, 7] }))).toEqual(planes.map((plane) => Math.max(...plane)))
  const means = planes.map((plane) => plane.reduce((total, value) => total + value, 0) / 35)
  expect(await numbers(averagePool2d(x, { window: [5, 7] }))).toEqual(means.map((mean) => expect.closeTo(mean, 12)))
})

test('the maximum keeps infinities and shows NaN', async () => {
  const x = image([-Infinity, -Infinity, 1, NaN, -Infinity, -Infinity, Infinity, 2], [1, 1, 2, 4])
  expect(await numbers(maxPool2d(x, { window: [2, 2] }))).toEqual([-Infinity, NaN])
  expect(await numbers(maxPool2d(x, { window: [1, 2], stride: 1 }))).toEqual([
    -Infinity,
    1,
    NaN,
    -Infinity,
    Infinity,
    Infinity,
  ])
})

describe('gradients', () => {
  const variants: readonly (readonly [string, Pool2dOptions])[] = [
    ['a plain window', { window: 2 }],
    ['windows that overlap, with padding', { window: 3, stride: 1, padding: 1 }],
    ['all sides different', { window: [3, 4], stride: [2, 3], padding: { top: 2, bottom: 1, left: 3, right: 0 } }],
    ['a last window that reaches out', { window: 2, stride: 2, ceil: true }],
    ['windows with gaps between them', { window: [1, 2], stride: 3 }],
  ]
  test.each(variants.flatMap(([what, options]) => Object.keys(pools).map((name) => [name, what, options] as const)))(
    '%s: %s',
    async (name, _, options) => {
      await checkGradients({ x: draw('x', [2, 2, 5, 5]) }, ({ x }) => pools[name](x, options))
    },
  )

  test('the gradient of a maximum goes to one pixel, even on the edge', async () => {
    const x = image([7, 7, 7, 7], [1, 1, 2, 2])
    const options = { window: 2, stride: 1, padding: 1 }
    const { gradients } = valueAndGrad({ x }, () => ({ loss: sum(maxPool2d(x, options)) }))
    expect((await numbers(gradients.x)).reduce((total, value) => total + value, 0)).toBe(9)
  })
})

test.each(Object.entries(pools))('errors of %s', (name, pool) => {
  expect(() => pool(draw('x', [2, 4, 4]), { window: 2 })).toThrow(
    new RangeError(`${name}: x must be [B, C, H, W] (got [2, 4, 4])`),
  )
  const x = draw('x', [1, 2, 4, 4])
  expect(() => pool(x, { window: 0 })).toThrow(
    new RangeError(`${name}: window must be an integer of 1 or more, or two: height and width (got 0)`),
  )
  expect(() => pool(x, { window: 2, stride: [1, 0.5] })).toThrow(
    new RangeError(`${name}: stride must be an integer of 1 or more, or two: height and width (got [1,0.5])`),
  )
  expect(() => pool(x, { window: 2, padding: { left: -1 } })).toThrow(
    new RangeError(`${name}: padding must be integers of 0 or more (left is -1)`),
  )
  expect(() => pool(x, { window: [3, 2], padding: 2 })).toThrow(
    new RangeError(`${name}: padding must be less than the window (got padding 2 and window [3, 2])`),
  )
  expect(() => pool(x, { window: [7, 2], padding: { top: 1, bottom: 1 } })).toThrow(
    new RangeError(`${name}: the window [7, 2] must fit the padded image [6, 4] (x is [1, 2, 4, 4])`),
  )
  const integers = tensor(new Int32Array(16), [1, 1, 4, 4], { backend, dtype: 'i32' })
  expect(() => pool(integers, { window: 2 })).toThrow(TypeError)
})
