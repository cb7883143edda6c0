import { expect, test } from 'vitest'
import { crc32c, maskedCrc32c } from '../../src/tensorboard/crc32c.js'

const bytes = (length: number, value: (i: number) => number) => Uint8Array.from({ length }, (_, i) => value(i))

test('the checksums of RFC 3720, appendix B.4, and of "123456789"', () => {
  expect(crc32c(bytes(32, () => 0))).toBe(0x8a9136aa)
  expect(crc32c(bytes(32, () => 255))).toBe(0x62a8ab43)
  expect(crc32c(bytes(32, (i) => i))).toBe(0x46dd794e)
  expect(crc32c(bytes(32, (i) => 31 - i))).toBe(0x113fdb5c)
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283)
  expect(crc32c(new Uint8Array())).toBe(0)
})

test('the mask turns by 15 bits and adds its constant, within 32 bits', () => {
  // 0xe3069283 turned right by 15 bits is 0x2507c60d.
  expect(maskedCrc32c(new TextEncoder().encode('123456789'))).toBe((0x2507c60d + 0xa282ead8) % 2 ** 32)
  expect(maskedCrc32c(new Uint8Array())).toBe(0xa282ead8)
})
