import { broadcastTo, mean, sum, tensor } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

const x = tensor([1, 2, 3, 4, 5, 6], [2, 3], { backend })

test('sums and means by hand', async () => {
  expect(await numbers(sum(x))).toEqual([21])
  expect(sum(x).shape).toEqual([])
  expect(await numbers(sum(x, [0]))).toEqual([5, 7, 9])
  expect(await numbers(sum(x, [-1]))).toEqual([6, 15])
  expect(sum(x, [1], { keepDims: true }).shape).toEqual([2, 1])
  expect(await numbers(sum(x, []))).toEqual([1, 2, 3, 4, 5, 6])
  expect(await numbers(mean(x))).toEqual([3.5])
  expect(await numbers(mean(x, [0]))).toEqual([2.5, 3.5, 4.5])
  expect(mean(x, [0, 1], { keepDims: true }).shape).toEqual([1, 1])
})

describe.each([
  { name: 'sum', run: sum },
  { name: 'mean', run: mean },
])('gradient of $name', ({ run }) => {
  test.each([[undefined], [[0]], [[1]], [[-1, 0]], [[]], [[0, 1, 2]]])('over %j', async (axes) => {
    const x = draw('x', [2, 3, 4])
    await checkGradients({ x }, ({ x }) => [run(x, axes), run(x, axes, { keepDims: true })])
  })
})

test('an axis named twice counts once', async () => {
  expect(await numbers(sum(x, [1, -1]))).toEqual([6, 15])
})

test('broadcastTo copies along new and stretched axes, with its gradient', async () => {
  expect(await numbers(broadcastTo(tensor([1, 2], [2, 1], { backend }), [2, 3]))).toEqual([1, 1, 1, 2, 2, 2])
  await checkGradients({ x: draw('x', [3, 1]) }, ({ x }) => [broadcastTo(x, [2, 3, 4]), broadcastTo(x, [3, 1])])
})

test('errors', () => {
  expect(() => sum(x, [2])).toThrow(new RangeError('sum: axis must be between -2 and 1 (got 2)'))
  expect(() => broadcastTo(x, [3, 3])).toThrow(
    new RangeError('broadcastTo: shapes must broadcast (got [2, 3] and [3, 3])'),
  )
  expect(() => broadcastTo(x, [1, 3])).toThrow(new RangeError('broadcastTo: [2, 3] does not stretch to [1, 3]'))
  expect(() => mean(tensor(Int32Array.of(1), [1], { backend }))).toThrow('sum: x must be a float tensor (got i32)')
})
