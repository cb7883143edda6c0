import { groupNorm, tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

const vector = (values: readonly number[]) => tensor(values, [values.length], { backend })

test('by hand: one mean and variance for a group of two channels', async () => {
  // Group one: 1, 3, 5, 7 with mean 4 and variance 5; group two: -1, 1, 1, -1 with mean 0 and variance 1.
  const x = tensor([1, 3, 5, 7, -1, 1, 1, -1], [1, 4, 1, 2], { backend })
  const out = groupNorm(x, vector([1, 2, 1, 1]), vector([0, 0, 10, 20]), { numGroups: 2, epsilon: 1.25 })
  expect(out.shape).toEqual([1, 4, 1, 2])
  const expected = [-1.2, -0.4, 0.8, 2.4, 10 - 2 / 3, 10 + 2 / 3, 20 + 2 / 3, 20 - 2 / 3]
  expect(await numbers(out)).toEqual(expected.map((value) => expect.closeTo(value, 13)))
})

test('silu is applied to the result', async () => {
  const x = tensor([-1, 1], [1, 1, 1, 2], { backend })
  const out = groupNorm(x, vector([2]), vector([1]), { numGroups: 1, epsilon: 0, activation: 'silu' })
  expect(await numbers(out)).toEqual([
    expect.closeTo(-1 / (1 + Math.E), 14),
    expect.closeTo(3 / (1 + Math.exp(-3)), 14),
  ])
})

test('does not change when a group is shifted and scaled', async () => {
  const x = tensor([1, 2, 4, 9], [1, 2, 1, 2], { backend })
  const moved = tensor([1026, 1028, 1032, 1042], [1, 2, 1, 2], { backend })
  const [weight, bias] = [vector([1, 3]), vector([0, 2])]
  const options = { numGroups: 1, epsilon: 0 }
  const expected = (await numbers(groupNorm(x, weight, bias, options))).map((value) => expect.closeTo(value, 12))
  expect(await numbers(groupNorm(moved, weight, bias, options))).toEqual(expected)
})

test.each(['none', 'silu'] as const)('gradients with activation %s', async (activation) => {
  await checkGradients(
    { x: draw('x', [2, 4, 2, 3]), weight: draw('weight', [4]), bias: draw('bias', [4]) },
    ({ x, weight, bias }) => groupNorm(x, weight, bias, { numGroups: 2, epsilon: 1e-2, activation }),
  )
})

test('errors', () => {
  const [x, four] = [draw('x', [1, 4, 2, 2]), draw('v', [4])]
  expect(() => groupNorm(x, four, draw('v', [3]), { numGroups: 2 })).toThrow(
    new RangeError('groupNorm: x must be [B, C, H, W], weight and bias [C] (got [1, 4, 2, 2], [4], [3])'),
  )
  expect(() => groupNorm(x, four, four, { numGroups: 3 })).toThrow(
    new RangeError('groupNorm: 4 channels do not split into 3 groups (x is [1, 4, 2, 2])'),
  )
  expect(() => groupNorm(x, four, four, { numGroups: 0 })).toThrow(RangeError)
})
