import type { RandomStream } from './stream.js'
import { checkRange, fillWords } from './uint32s.js'

/**
 * Standard normal numbers by the Box-Muller transform, the same bits on every engine that follows IEEE 754.
 *
 * Draws 2p and 2p + 1 come from the words a = word[2p] and b = word[2p + 1] of the stream:
 *
 *   radius = sqrt(-2 log((a + 1/2) / 2^32))        angle = 2 pi (b + 1/2) / 2^32
 *   draw[2p] = radius cos(angle)                   draw[2p + 1] = radius sin(angle)
 *
 * Everything is computed in float64 with +, -, *, / and sqrt alone, in the order written in this file, with no fused
 * multiply-add, and rounded once to float32 at the end. The language leaves the last bits of its own log, sin and cos
 * to the engine, so they are not used.
 *
 * - log: m 2^n = a + 1/2 with m in [1, 2); if m > sqrt 2, m is halved and n grows by one. With s = (m - 1) / (m + 1)
 *   and q = s s, log = (n - 32) ln 2 + 2 s (1 + q/3 + q^2/5 + ... + q^8/17), the polynomial by Horner's rule.
 * - cos and sin: k = floor((b + 2^29) / 2^30) mod 4 is the nearest quarter turn; x = (b - k 2^30 + 1/2) (2 pi / 2^32),
 *   where the difference is taken as an int32, lies in [-pi/4, pi/4]. With y = x x, cos x = 1 + y (-1/2! + y/4! - ...
 *   + y^7/16!) and sin x = x + x (y (-1/3! + y/5! - ... - y^6/15!)), both by Horner's rule. Then (cos, sin) of the
 *   angle is (cos x, sin x), (-sin x, cos x), (-cos x, -sin x) or (sin x, -cos x) for k = 0, 1, 2, 3.
 *
 * The result is within 1 unit in the last place of float32 of the exact transform, nearly always its correct rounding.
 * The largest magnitude that can occur is sqrt(66 ln 2) = 6.76.
 *
 * @param stream  from `randomStream`
 * @param count   how many numbers
 * @param start   index of the first one; may be odd
 * @returns draws `start .. start + count - 1`
 * @throws RangeError when `count` or `start` is not a non-negative safe integer
 *
 * Box and Muller 1958, "A Note on the Generation of Random Normal Deviates".
 */
export function normals(stream: RandomStream, count: number, start = 0): Float32Array {
  checkRange('normals', stream, count, start)
  const skip = start % 2
  const pairs = Math.ceil((count + skip) / 2)
  const out = new Float32Array(2 * pairs)
  const words = new Uint32Array(out.buffer)
  fillWords(words, stream, start - skip)
  for (let p = 0; p < 2 * pairs; p += 2) transformPair(out, p, words[p], words[p + 1])
  return out.length === count ? out : out.slice(skip, skip + count)
}

const LN_2 = 0.6931471805599453
const SQRT_2 = 1.4142135623730951
const ANGLE_UNIT = 6.283185307179586 / 2 ** 32

// 2^-n for n = -1 .. 31, at index n + 1
const POWERS = Float64Array.from({ length: 33 }, (_, i) => 2 ** (1 - i))

/** Writes the two draws of the words `a` and `b` to `out[at]` and `out[at + 1]`. */
function transformPair(out: Float32Array, at: number, a: number, b: number): void {
  // log((a + 1/2) / 2^32)
  let n = 31 - Math.clz32(a) // -1 for a = 0
  let m = (a + 0.5) * POWERS[n + 1]
  if (m > SQRT_2) {
    m *= 0.5
    n++
  }
  const s = (m - 1) / (m + 1)
  const q = s * s
  let series = 1 / 15 + q * (1 / 17)
  series = 1 / 13 + q * series
  series = 1 / 11 + q * series
  series = 1 / 9 + q * series
  series = 1 / 7 + q * series
  series = 1 / 5 + q * series
  series = 1 / 3 + q * series
  series = 1 + q * series
  const log = (n - 32) * LN_2 + 2 * s * series
  const radius = Math.sqrt(-2 * log)

  // nearest quarter turn and what is left of the angle
  const quarter = ((b + 0x20000000) >>> 30) & 3
  const x = (((b - quarter * 0x40000000) | 0) + 0.5) * ANGLE_UNIT
  const y = x * x

  let c = -1 / 87178291200 + y * (1 / 20922789888000)
  c = 1 / 479001600 + y * c
  c = -1 / 3628800 + y * c
  c = 1 / 40320 + y * c
  c = -1 / 720 + y * c
  c = 1 / 24 + y * c
  c = -1 / 2 + y * c
  c = radius * (1 + y * c)

  let d = 1 / 6227020800 + y * (-1 / 1307674368000)
  d = -1 / 39916800 + y * d
  d = 1 / 362880 + y * d
  d = -1 / 5040 + y * d
  d = 1 / 120 + y * d
  d = -1 / 6 + y * d
  d = radius * (x + x * (y * d))

  if (quarter === 0) {
    out[at] = c
    out[at + 1] = d
  } else if (quarter === 1) {
    out[at] = -d
    out[at + 1] = c
  } else if (quarter === 2) {
    out[at] = -c
    out[at + 1] = -d
  } else {
    out[at] = d
    out[at + 1] = -c
  }
}
