import { expect, test } from 'vitest'
import { sizeClass } from '../src/runtime/pool.js'

const LIMIT = 2 ** 28

test('a size class holds what is asked for and wastes at most an eighth of a large buffer', () => {
  for (let bytes = 1; bytes < 2 ** 27; bytes = Math.ceil(bytes * 1.37)) {
    const capacity = sizeClass(bytes, LIMIT)
    expect(capacity).toBeGreaterThanOrEqual(bytes)
    expect(capacity % 4).toBe(0)
    expect(capacity).toBeLessThanOrEqual(Math.max(1.125 * bytes, bytes + 256))
  }
})

test('classes are few: 8 to a power of two', () => {
  const classes = new Set<number>()
  for (let bytes = 2 ** 20; bytes < 2 ** 21; bytes += 4096) classes.add(sizeClass(bytes, LIMIT))
  expect(classes.size).toBeLessThanOrEqual(9)
})

test('no class is larger than a buffer may be', () => {
  expect(sizeClass(LIMIT - 4, LIMIT)).toBe(LIMIT)
  expect(sizeClass(0, LIMIT)).toBe(256)
})
