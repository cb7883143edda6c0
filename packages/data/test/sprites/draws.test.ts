import { expect, test } from 'vitest'
import { drawsOf } from '../../src/sprites/draws.js'

test('reads its numbers in order as choices', () => {
  const d = drawsOf([0, 0.5, 0.99, 0.25, 0.75])
  expect(d.between(2, 4)).toBe(2)
  expect(d.whole(1, 4)).toBe(3)
  expect(d.pick(['a', 'b', 'c'])).toBe('c')
  expect(d.chance(0.3)).toBe(true)
  expect(d.chance(0.7)).toBe(false)
  expect(d.numRead()).toBe(5)
  expect(() => d.chance(0.5)).toThrow('drawsOf: a drawing reads more than its 5 numbers')
})
