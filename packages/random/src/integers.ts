import { multiplyHigh } from './philox.js'
import type { RandomStream } from './stream.js'
import { checkRange, fillWords } from './uint32s.js'

const CHUNK = 1024

/**
 * Uniform integers in 0 .. bound - 1.
 *
 *   value[i] = floor(bound * (word[2i] * 2^32 + word[2i + 1]) / 2^64)
 *
 * One draw per index and no rejection, so that draw i never depends on the others. The price is a bias: a value's
 * probability differs from 1 / bound by less than 2^-64, which no experiment of fewer than 10^18 draws can show.
 *
 * @param stream  from `randomStream`
 * @param bound   1 .. 2^31
 * @param count   how many integers
 * @param start   index of the first one; `start + count` must not pass 2^52
 * @returns draws `start .. start + count - 1`
 * @throws RangeError when `bound`, `count` or `start` is out of range
 *
 * The multiply-shift of Lemire 2019, "Fast Random Integer Generation in an Interval", without its rejection step.
 */
export function integers(stream: RandomStream, bound: number, count: number, start = 0): Int32Array {
  if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 31) {
    throw new RangeError(`integers: bound must be an integer in 1 .. 2^31 (got ${bound})`)
  }
  checkRange('integers', stream, count, start)
  if (!Number.isSafeInteger(2 * (start + count))) {
    throw new RangeError(`integers: start + count must not pass 2^52 (got ${start} + ${count})`)
  }
  const out = new Int32Array(count)
  const words = new Uint32Array(2 * Math.min(count, CHUNK))
  for (let from = 0; from < count; from += CHUNK) {
    fillWords(words, stream, 2 * (start + from))
    const size = Math.min(CHUNK, count - from)
    for (let i = 0; i < size; i++) out[from + i] = scaleWords(words[2 * i], words[2 * i + 1], bound)
  }
  return out
}

/** floor(bound * (high * 2^32 + low) / 2^64) for uint32 `high` and `low` and `bound` up to 2^32 - 1. */
export function scaleWords(high: number, low: number, bound: number): number {
  const middle = (Math.imul(high, bound) >>> 0) + (multiplyHigh(low, bound) >>> 0)
  return (multiplyHigh(high, bound) >>> 0) + (middle >= 2 ** 32 ? 1 : 0)
}
