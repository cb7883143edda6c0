import { attention, concat, slice, tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

test('one token gives its own values', async () => {
  expect(await numbers(attention(tensor([9, -9, 5, 7, 3, 4], [1, 1, 6], { backend }), 2))).toEqual([3, 4])
})

test('weights by hand: q k = log 3 against 0 splits 3 to 1', async () => {
  // Two tokens, one head of width 1: q = [1, 0], k = [log 3, 0], v = [4, 8]
  const qkv = tensor([1, Math.log(3), 4, 0, 0, 8], [1, 2, 3], { backend })
  expect(await numbers(attention(qkv, 1))).toEqual([expect.closeTo(5, 14), expect.closeTo(6, 14)])
})

test('scores are divided by the root of the head width', async () => {
  // As above with width 4: q k = 2 log 3
  const q = [Math.log(3), 0, 0, 0]
  const qkv = tensor([...q, 2, 0, 0, 0, 4, 4, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 8, 8, 8, 8], [1, 2, 12], { backend })
  expect((await numbers(attention(qkv, 1))).slice(0, 4)).toEqual(
    [5, 5, 5, 5].map((x) => expect.closeTo(x, 14) as number),
  )
})

test('does not care about the order of the tokens, but for permuting its result', async () => {
  const qkv = draw('qkv', [1, 5, 12])
  const swap = (x: typeof qkv) => concat([slice(x, 1, 2, 3), slice(x, 1, 0, 2)], 1)
  const [a, b] = [await numbers(swap(attention(qkv, 2))), await numbers(attention(swap(qkv), 2))]
  // Sums of five terms in another order.
  for (const [i, value] of a.entries()) expect(value).toBeCloseTo(b[i], 14)
})

test.each([
  [2, 3, 2, 4],
  [1, 1, 3, 2],
  [1, 4, 1, 1],
])('gradient, batch %i, %i tokens, %i heads of width %i', async (B, N, numHeads, headDim) => {
  await checkGradients({ qkv: draw('qkv', [B, N, 3 * numHeads * headDim]) }, ({ qkv }) => attention(qkv, numHeads))
})

function message(got: string, numHeads: number): RangeError {
  return new RangeError(`attention: qkv must be [B, N, 3 * ${numHeads} * headDim] (got ${got})`)
}

test('errors', () => {
  expect(() => attention(draw('x', [1, 2, 10]), 2)).toThrow(message('[1, 2, 10]', 2))
  expect(() => attention(draw('x', [2, 12]), 2)).toThrow(message('[2, 12]', 2))
  expect(() => attention(draw('x', [1, 2, 12]), -2)).toThrow(message('[1, 2, 12]', -2))
  expect(() => attention(draw('x', [1, 2, 12]), 0)).toThrow(message('[1, 2, 12]', 0))
})
