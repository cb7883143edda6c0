import { expect, test } from 'vitest'
import { emaCourseAt } from '../../src/index.js'

test('is 0 until averaging begins, and rises to its greatest', () => {
  expect([0, 1, 2, 11].map((steps) => emaCourseAt(steps))).toEqual([0, 0, 2 / 11, 11 / 20])
  expect(emaCourseAt(1e7)).toBe(0.9999)
  expect(emaCourseAt(4, { updateAfter: 3 })).toBe(0)
  expect(emaCourseAt(5, { updateAfter: 3, minDecay: 0.5 })).toBe(0.5)
})

test('with a warm-up it rises by a power', () => {
  expect(emaCourseAt(4, { warmup: { power: 0.5 } })).toBe(1 - 4 ** -0.5)
  expect(emaCourseAt(9, { warmup: { invGamma: 8, power: 1 } })).toBe(0.5)
  expect(emaCourseAt(9, { warmup: {} })).toBeCloseTo(1 - 9 ** (-2 / 3), 15)
  expect(emaCourseAt(9, { warmup: {}, decay: 0.25 })).toBe(0.25)
})
