import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { startSha256 } from '../../src/web/sha256.js'

test('a length of more than 2^32 bits is counted', () => {
  const piece = new Uint8Array(2 ** 26).fill(7)
  const [own, other] = [startSha256(), createHash('sha256')]
  for (let i = 0; i < 9; i++) {
    own.update(piece)
    other.update(piece)
  }
  expect(own.digest()).toBe(other.digest('hex'))
}, 300_000)
