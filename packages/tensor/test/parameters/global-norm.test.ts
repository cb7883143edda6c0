import { globalNorm, tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend } from '../check-gradients.js'

test('is the root of the sum of squares over all tensors, and leaves nothing behind', async () => {
  const tensors = [tensor([3, 0], [2], { backend }), tensor([4, 12], [2, 1], { backend })]
  const before = backend.memory().buffers
  expect(await globalNorm(tensors)).toBe(13)
  expect(await globalNorm([])).toBe(0)
  expect(backend.memory().buffers).toBe(before)
})
