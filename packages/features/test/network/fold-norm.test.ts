import { expect, test } from 'vitest'
import { foldNorm } from '../../src/network/fold-norm.js'

test('one convolution gives what the convolution and the normalization give', () => {
  // Two channels of two numbers each; 3 = sqrt(8 + 1), 2 = sqrt(3 + 1).
  const folded = foldNorm([1, 2, 3, 4], { gain: [6, -2], shift: [1, 5], mean: [10, 4], variance: [8, 3], epsilon: 1 })
  expect([...folded.weight]).toEqual([2, 4, -3, -4])
  expect([...folded.bias]).toEqual([1 - 2 * 10, 5 + 4])
})

test('a channel that never varied is divided by the root of epsilon', () => {
  const { weight, bias } = foldNorm([1], { gain: [1], shift: [0], mean: [2], variance: [0], epsilon: 1e-4 })
  expect(weight[0]).toBeCloseTo(100, 10)
  expect(bias[0]).toBeCloseTo(-200, 10)
})
