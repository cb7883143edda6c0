import { expect, test } from 'vitest'
import { randomStream, uint32s, uniforms } from '../src/index.js'

const stream = randomStream(0, 'uniforms')

test('is the upper 24 bits of the word with the same index', () => {
  const words = uint32s(stream, 100)
  expect([...uniforms(stream, 100)]).toEqual([...words].map((word) => Math.floor(word / 256) / 2 ** 24))
})

test('any start and count is a slice of the whole', () => {
  const whole = uniforms(stream, 40)
  for (let start = 0; start < 9; start++) expect(uniforms(stream, 13, start)).toEqual(whole.slice(start, start + 13))
  expect(uniforms(stream, 0)).toEqual(new Float32Array(0))
})

test('stays in [0, 1) and follows the uniform distribution', () => {
  const sorted = uniforms(stream, 100_000).toSorted()
  expect(sorted[0]).toBeGreaterThanOrEqual(0)
  expect(sorted.at(-1)).toBeLessThan(1)
  let distance = 0
  sorted.forEach((u, i) => (distance = Math.max(distance, Math.abs(u - (i + 0.5) / 100_000))))
  // Kolmogorov-Smirnov: 1.95 / sqrt(n) is passed by chance once in a thousand streams; this stream is fixed
  expect(distance).toBeLessThan(1.95 / Math.sqrt(100_000))
})

test('names itself in errors', () => {
  expect(() => uniforms(stream, 0.5)).toThrow('uniforms: count must be a non-negative safe integer (got 0.5)')
})
