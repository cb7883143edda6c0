import { expect, test } from 'vitest'
import { philox4x32, randomStream, uint32s } from '../src/index.js'

const stream = randomStream(2 ** 40 + 3, 'words')
const [streamLow, streamHigh] = stream.stream

test('lays the blocks end to end, with the index block in the low counter words and the seed as the key', () => {
  const blocks = [0, 1, 2].flatMap((block) => [...philox4x32([block, 0, streamLow, streamHigh], [3, 256])])
  expect([...uint32s(stream, 12)]).toEqual(blocks)
})

test('any start and count is a slice of the whole', () => {
  const whole = [...uint32s(stream, 40)]
  for (let start = 0; start < 9; start++) {
    for (let count = 0; count < 14; count++) {
      expect([...uint32s(stream, count, start)]).toEqual(whole.slice(start, start + count))
    }
  }
})

test('carries the block index into the second counter word', () => {
  const start = 4 * 2 ** 32 - 2 // the last two words of block 2^32 - 1, then block 2^32
  const before = philox4x32([0xffffffff, 0, streamLow, streamHigh], [3, 256])
  const after = philox4x32([0, 1, streamLow, streamHigh], [3, 256])
  expect([...uint32s(stream, 6, start)]).toEqual([before[2], before[3], ...after])
})

test('refuses counts and starts out of range', () => {
  expect(() => uint32s(stream, -1)).toThrow('uint32s: count must be a non-negative safe integer (got -1)')
  expect(() => uint32s(stream, 1, 1.5)).toThrow('uint32s: start must be a non-negative safe integer')
  expect(() => uint32s(stream, 2, Number.MAX_SAFE_INTEGER)).toThrow(RangeError)
  expect(() => uint32s({ seed: -3, stream: [0, 0] }, 1)).toThrow('uint32s: seed must be')
})
