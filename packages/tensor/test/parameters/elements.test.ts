import { expect, test } from 'vitest'
import { elements, fill, reference, tensor } from '../../src/index.js'

test('gives a range of the elements over the same memory', async () => {
  const x = tensor([1, 2, 3, 4, 5, 6], [2, 3], { backend: reference() })
  const middle = elements(x, 2, 3)
  expect([...(await middle.data())]).toEqual([3, 4, 5])
  fill(middle, 0)
  expect([...(await x.data())]).toEqual([1, 2, 0, 0, 0, 6])
})

test('refuses a range that is not inside', () => {
  const x = tensor([1, 2, 3], [3], { backend: reference() })
  expect(() => elements(x, 2, 2)).toThrow('elements: the range must lie in 0..3 (got 2 elements from 2)')
  expect(() => elements(x, 0, 0)).toThrow('got 0 elements from 0')
})

test('refuses a part on a backend without views', () => {
  const backend = { ...reference(), name: 'plain', supportsViews: false }
  const x = tensor([1, 2, 3], [3], { backend })
  expect(elements(x, 0, 3).shape).toEqual([3])
  expect(() => elements(x, 0, 2)).toThrow('elements: plain has no views of a part of a tensor')
})
