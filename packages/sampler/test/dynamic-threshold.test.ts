import { dynamicThreshold } from '@dit/sampler'
import { expect, test } from 'vitest'
import { buffersLeft, draws, expectValues, float, numbers } from '../../diffusion/test/tensors.js'

test('by hand: the quantile lies between two values, and each sample has its own', async () => {
  // |x| sorted: 0, 1, 2, 3; place 0.5 * 3 = 1.5: s = 1.5. The second sample stays below 1.
  const x = float([3, -2, 1, 0, 0.5, -0.5, 0.25, 0], [2, 1, 2, 2])
  const threshold = dynamicThreshold({ ratio: 0.5, max: 10 })
  await expectValues(threshold(x), [1, -1, 1 / 1.5, 0, 0.5, -0.5, 0.25, 0], 1e-6)
})

test('the threshold does not exceed max, and a max of 1 is a clamp', async () => {
  const x = float([3, -2, 1, 0])
  await expectValues(dynamicThreshold({ ratio: 1, max: 2 })(x), [1, -1, 0.5, 0], 1e-6)
  await expectValues(dynamicThreshold()(x), [1, -1, 1, 0])
  await expectValues(dynamicThreshold({ max: 0.5 })(x), [1, -1, 1, 0])
})

test('agrees with sorting', async () => {
  const x = draws([3, 2, 5, 5], 'threshold')
  const values = await numbers(x)
  const s = [0, 1, 2].map((sample) => {
    const sorted = values.slice(50 * sample, 50 * sample + 50).map(Math.abs)
    sorted.sort((a, b) => a - b)
    const place = 0.9 * 49
    const below = Math.floor(place)
    return Math.max(1, sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]))
  })
  const expected = values.map((value, i) => {
    const bound = s[Math.floor(i / 50)]
    return Math.min(Math.max(value, -bound), bound) / bound
  })
  await expectValues(dynamicThreshold({ ratio: 0.9, max: 100 })(x), expected, 1e-9)
})

test('leaks nothing, and refuses what is no ratio', async () => {
  const x = float([3, -2, 1, 0])
  expect(await buffersLeft(() => dynamicThreshold({ max: 2 })(x).dispose())).toBe(0)
  expect(() => dynamicThreshold({ ratio: 0 })).toThrow('dynamicThreshold: ratio must be in (0, 1] (got 0)')
  expect(() => dynamicThreshold({ max: 0 })).toThrow('dynamicThreshold: max must be positive (got 0)')
})
