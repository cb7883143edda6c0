import { expect, test } from 'vitest'
import { didYouMean, nearest } from '../../src/classes/suggest.js'

test('a slip of one letter, a swap, or another spelling finds the word', () => {
  const words = ['steps', 'microBatch', 'lr']
  expect(nearest('step', words)).toBe('steps')
  expect(nearest('stpes', words)).toBe('steps')
  expect(nearest('micro-batch', words)).toBe('microBatch')
  expect(nearest('zebra', words)).toBeNull()
  expect(nearest('steps', [])).toBeNull()
  expect(didYouMean('setps', words)).toBe('; did you mean steps?')
  expect(didYouMean('zebra', words)).toBe('')
})
