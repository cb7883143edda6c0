import { expect, test } from 'vitest'
import { integers, permutation, randomStream } from '../src/index.js'

test('holds every index once', () => {
  for (const length of [0, 1, 2, 3, 10, 1001]) {
    const order = permutation(randomStream(3, length), length)
    expect([...order].toSorted((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i))
  }
})

test('exchanges entry i with the draw of index i', () => {
  const stream = randomStream(1, 'shuffle')
  const order = [0, 1, 2, 3]
  for (let i = 3; i > 0; i--) {
    const j = integers(stream, i + 1, 1, i)[0]
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  expect([...permutation(stream, 4)]).toEqual(order)
})

test('all orders of three come equally often', () => {
  const counts = new Map<string, number>()
  for (let k = 0; k < 6000; k++) {
    const order = permutation(randomStream(0, 'order', k), 3).join()
    counts.set(order, (counts.get(order) ?? 0) + 1)
  }
  expect(counts.size).toBe(6)
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)
  expect(chiSquare).toBeLessThan(20.5) // 5 degrees of freedom: one in a thousand; these streams are fixed
})

test('refuses lengths out of range', () => {
  expect(() => permutation(randomStream(0), -1)).toThrow('permutation: length must be an integer in 0 .. 2^31 (got -1)')
  expect(() => permutation(randomStream(0), 1.5)).toThrow(RangeError)
})
