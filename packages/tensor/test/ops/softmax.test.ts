import { softmax, tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

test('softmax of log 1, log 2, log 5 is 1/8, 2/8, 5/8', async () => {
  const x = tensor([1, 2, 5].map(Math.log), [3], { backend })
  const [a, b, c] = await numbers(softmax(x))
  expect([a, b, c]).toEqual([expect.closeTo(0.125, 15), expect.closeTo(0.25, 15), expect.closeTo(0.625, 15)])
})

test('huge values do not overflow', async () => {
  expect(await numbers(softmax(tensor([1e4, -1e4, 1e4], [3], { backend })))).toEqual([0.5, 0, 0.5])
})

test.each([[[5]], [[3, 4]], [[2, 3, 1]]])('gradient for %j', async (shape) => {
  await checkGradients({ x: draw('x', shape, 2) }, ({ x }) => softmax(x))
})

test('a scalar is refused', () => {
  expect(() => softmax(draw('x', []))).toThrow(new RangeError('softmax: x must have an axis (got a scalar)'))
})
