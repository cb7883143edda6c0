import { createHash } from 'node:crypto'
import { afterEach, expect, test, vi } from 'vitest'
import { sha256Of, startSha256 } from '../../src/web/sha256.js'

afterEach(() => vi.unstubAllGlobals())

const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 167 + (i >> 7)) & 255)
const expected = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

test('the examples of FIPS 180-4', () => {
  const of = (text: string) => {
    const hash = startSha256()
    hash.update(new TextEncoder().encode(text))
    return hash.digest()
  }
  expect(of('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  expect(of('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
})

test('every length to three blocks, whole and cut anywhere', () => {
  for (let length = 0; length <= 192; length++) {
    const bytes = bytesOf(length)
    for (const cut of [0, 1, 55, 64, length >> 1, length]) {
      const hash = startSha256()
      hash.update(bytes.subarray(0, cut))
      hash.update(bytes.subarray(cut))
      expect(hash.digest(), `${length} cut at ${cut}`).toBe(expected(bytes))
    }
  }
})

test('with and without crypto.subtle the digest is the same', async () => {
  const bytes = bytesOf(1_000_003)
  expect(await sha256Of(bytes)).toBe(expected(bytes))
  vi.stubGlobal('crypto', {})
  expect(await sha256Of(bytes)).toBe(expected(bytes))
})
