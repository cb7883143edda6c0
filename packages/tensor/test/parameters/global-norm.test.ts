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

test('takes large tensors in pieces, so that its memory does not grow with them', async () => {
  const size = 2 ** 21 + 5
  const x = tensor(new Float64Array(size).fill(2), [size], { backend })
  const before = backend.memory()
  expect(await globalNorm([x])).toBe(2 * Math.sqrt(size))
  const { bytes, peakBytes } = backend.memory()
  expect(bytes).toBe(before.bytes)
  // One piece of squares at a time, in float64, and the scalars.
  expect(peakBytes - Math.max(before.bytes, before.peakBytes)).toBeLessThanOrEqual(2 ** 20 * 8 + 100)
  x.dispose()
})
