import type { RandomStream } from './stream.js'
import { checkRange, fillWords } from './uint32s.js'

/**
 * Uniform numbers in [0, 1): the upper 24 bits of word i, times 2^-24.
 *
 * Every value is exact in float32, so all engines agree to the bit; 0 occurs, 1 does not.
 *
 * @param stream  from `randomStream`
 * @param count   how many numbers
 * @param start   index of the first one
 * @returns draws `start .. start + count - 1`
 * @throws RangeError when `count` or `start` is not a non-negative safe integer
 */
export function uniforms(stream: RandomStream, count: number, start = 0): Float32Array {
  checkRange('uniforms', stream, count, start)
  const out = new Float32Array(count)
  const words = new Uint32Array(out.buffer)
  fillWords(words, stream, start)
  for (let i = 0; i < count; i++) out[i] = (words[i] >>> 8) * 2 ** -24
  return out
}
