import { expect, test } from 'vitest'
import { philox4x32 } from '../src/index.js'
import { multiplyHigh } from '../src/philox.js'

// The three known answers for philox4x32 with 10 rounds that the authors publish with their Random123 library.
const ONES = 0xffffffff
const KNOWN_ANSWERS = [
  { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
  { counter: [ONES, ONES, ONES, ONES], key: [ONES, ONES], words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd] },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
] as const

test.each(KNOWN_ANSWERS)('gives the published words for counter $counter', ({ counter, key, words }) => {
  expect([...philox4x32(counter, key)]).toEqual(words)
})

test('multiplyHigh agrees with 64-bit integers', () => {
  const values = [0, 1, 2, 0xffff, 0x10000, 0x10001, 0x7fffffff, 0x80000000, 0xcd9e8d57, 0xd2511f53, 0xffffffff]
  for (const a of values) {
    for (const b of values) {
      expect(multiplyHigh(a, b) >>> 0).toBe(Number((BigInt(a) * BigInt(b)) >> 32n))
    }
  }
})
