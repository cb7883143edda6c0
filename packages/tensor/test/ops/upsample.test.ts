import { tensor, upsample2x } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

test('by hand: each pixel becomes four', async () => {
  const out = upsample2x(tensor([1, 2, 3, 4, 5, 6], [1, 1, 2, 3], { backend }))
  expect(out.shape).toEqual([1, 1, 4, 6])
  expect(await numbers(out)).toEqual([1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 4, 4, 5, 5, 6, 6])
})

test('gradients', async () => {
  await checkGradients({ x: draw('x', [2, 2, 3, 2]) }, ({ x }) => upsample2x(x))
})

test('errors', () => {
  expect(() => upsample2x(draw('x', [2, 3, 4]))).toThrow(
    new RangeError('upsample2x: x must be [B, C, H, W] (got [2, 3, 4])'),
  )
})
