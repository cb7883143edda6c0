const MULTIPLIER_0 = 0xd2511f53
const MULTIPLIER_1 = 0xcd9e8d57
const WEYL_0 = 0x9e3779b9
const WEYL_1 = 0xbb67ae85
const ROUNDS = 10

/**
 * One block of Philox 4x32-10: four random words, a pure function of a 128-bit counter and a 64-bit key.
 *
 * A round maps (c0, c1, c2, c3) to (hi(M1 c2) ^ c1 ^ k0, lo(M1 c2), hi(M0 c0) ^ c3 ^ k1, lo(M0 c0)), where hi and lo
 * are the halves of the 64-bit product, M0 = 0xd2511f53 and M1 = 0xcd9e8d57. Between rounds, k0 grows by 0x9e3779b9 and
 * k1 by 0xbb67ae85, modulo 2^32. There are ten rounds.
 *
 * @param counter  four words; each is taken modulo 2^32
 * @param key      two words; each is taken modulo 2^32
 * @returns four words
 *
 * Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3", section 4.3; constants from their table of
 * Philox multipliers.
 */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): Uint32Array {
  const out = new Uint32Array(4)
  philoxInto(out, 0, counter[0], counter[1], counter[2], counter[3], key[0], key[1])
  return out
}

/** Writes the four words of one Philox block to `out[offset .. offset + 3]`, without allocating. */
export function philoxInto(
  out: Uint32Array,
  offset: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
): void {
  let x0 = c0 | 0
  let x1 = c1 | 0
  let x2 = c2 | 0
  let x3 = c3 | 0
  let key0 = k0 | 0
  let key1 = k1 | 0
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(x0, MULTIPLIER_0)
    const low0 = Math.imul(x0, MULTIPLIER_0)
    const high1 = multiplyHigh(x2, MULTIPLIER_1)
    const low1 = Math.imul(x2, MULTIPLIER_1)
    x0 = high1 ^ x1 ^ key0
    x1 = low1
    x2 = high0 ^ x3 ^ key1
    x3 = low0
    key0 = (key0 + WEYL_0) | 0
    key1 = (key1 + WEYL_1) | 0
  }
  out[offset] = x0
  out[offset + 1] = x1
  out[offset + 2] = x2
  out[offset + 3] = x3
}

/**
 * Upper 32 bits of the product of two uint32, as an int32 (take `>>> 0` for the unsigned value).
 *
 * Schoolbook on 16-bit halves; no partial sum exceeds 32 bits, so the wrapping int32 arithmetic is exact.
 */
export function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0
  const carry = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) | 0
}
