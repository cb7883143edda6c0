import { layerNorm, layerNormModulate, tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

test('layerNorm by hand: biased variance, epsilon inside the root', async () => {
  // mean 2, variance 1; then mean 5, variance 0
  const x = tensor([1, 3, 5, 5], [2, 2], { backend })
  expect(await numbers(layerNorm(x, 0.44))).toEqual([expect.closeTo(-1 / 1.2, 14), expect.closeTo(1 / 1.2, 14), 0, 0])
})

test('does not change when a constant is added to a row', async () => {
  const x = tensor([1, 2, 4, 9], [1, 4], { backend })
  const moved = tensor([1025, 1026, 1028, 1033], [1, 4], { backend })
  expect(await numbers(layerNorm(moved, 1e-6))).toEqual(await numbers(layerNorm(x, 1e-6)))
})

test('modulation by hand', async () => {
  const x = tensor([1, 3, 1, 3], [2, 1, 2], { backend })
  const shift = tensor([10, 20, 0, 0], [2, 2], { backend })
  const scale = tensor([0, 1, -1, 2], [2, 2], { backend })
  expect(await numbers(layerNormModulate(x, shift, scale, 0))).toEqual([9, 22, 0, 3])
})

test('gradients', async () => {
  await checkGradients({ x: draw('x', [2, 3, 5]) }, ({ x }) => layerNorm(x, 1e-2))
  await checkGradients(
    { x: draw('x', [2, 3, 5]), shift: draw('shift', [2, 5]), scale: draw('scale', [2, 5]) },
    ({ x, shift, scale }) => layerNormModulate(x, shift, scale, 1e-2),
  )
})

test('errors', () => {
  const [x, vector] = [draw('x', [2, 3, 5]), draw('v', [2, 5])]
  expect(() => layerNormModulate(x, vector, draw('v', [5]), 1e-6)).toThrow(
    new RangeError('layerNormModulate: x must be [B, N, D], shift and scale [B, D] (got [2, 3, 5], [2, 5], [5])'),
  )
})
