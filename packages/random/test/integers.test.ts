import { expect, test } from 'vitest'
import { integers, randomStream, uint32s } from '../src/index.js'

const stream = randomStream(5, 'integers')

test.each([1, 2, 3, 10, 1000, 65537, 2 ** 31 - 1, 2 ** 31])('scales 64 bits to bound %i exactly', (bound) => {
  const words = [...uint32s(stream, 400)].map(BigInt)
  const expected = Array.from({ length: 200 }, (_, i) =>
    Number((BigInt(bound) * ((words[2 * i] << 32n) + words[2 * i + 1])) >> 64n),
  )
  expect([...integers(stream, bound, 200)]).toEqual(expected)
})

test('any start and count is a slice of the whole, across the inner chunks too', () => {
  const whole = integers(stream, 1000, 3000)
  for (const start of [0, 1, 2, 3, 1023, 1024, 1025]) {
    expect(integers(stream, 1000, 1500, start)).toEqual(whole.slice(start, start + 1500))
  }
  expect(integers(stream, 1000, 0)).toEqual(new Int32Array(0))
})

test('each value comes equally often', () => {
  const counts = new Float64Array(7)
  for (const value of integers(stream, 7, 70_000)) counts[value] += 1
  const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)
  expect(chiSquare).toBeLessThan(22.5) // 6 degrees of freedom: one in a thousand; this stream is fixed
})

test('refuses bounds out of range', () => {
  for (const bound of [0, -1, 1.5, 2 ** 31 + 1]) {
    expect(() => integers(stream, bound, 1)).toThrow(`integers: bound must be an integer in 1 .. 2^31 (got ${bound})`)
  }
  expect(() => integers(stream, 2, 1, 2 ** 52)).toThrow('integers: start + count must not pass 2^52')
  expect(() => integers(stream, 2, -1)).toThrow('integers: count must be')
})
