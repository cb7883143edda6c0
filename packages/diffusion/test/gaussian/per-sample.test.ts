import { expect, test } from 'vitest'
import { perSample } from '../../src/index.js'
import { draws, expectValues, float } from '../tensors.js'

test('takes one entry per sample, of as many axes as x', async () => {
  const factor = perSample([10, 20, 30], Int32Array.of(2, 0, 2), draws([3, 2, 4, 4], 'x'))
  expect(factor.shape).toEqual([3, 1, 1, 1])
  await expectValues(factor, [30, 10, 30])
  expect(perSample([1, 2], Int32Array.of(1), float([5], [1, 1])).shape).toEqual([1, 1])
})
