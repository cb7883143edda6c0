import { scaleWords } from './integers.js'
import { checkSeed, type RandomStream } from './stream.js'
import { uint32s } from './uint32s.js'

/**
 * A random order of 0 .. length - 1: a Fisher-Yates shuffle in which each exchange has its own draw.
 *
 * For i from length - 1 down to 1, entry i changes places with entry j, where j is draw i of the stream scaled to
 * 0 .. i in the way of `integers`.
 *
 * @param stream  from `randomStream`; use another one for each permutation
 * @param length  0 .. 2^31
 * @throws RangeError when `length` is out of range
 */
export function permutation(stream: RandomStream, length: number): Uint32Array {
  checkSeed('permutation', stream.seed)
  if (!Number.isInteger(length) || length < 0 || length > 2 ** 31) {
    throw new RangeError(`permutation: length must be an integer in 0 .. 2^31 (got ${length})`)
  }
  const order = Uint32Array.from({ length }, (_, i) => i)
  const words = uint32s(stream, 2 * length)
  for (let i = length - 1; i > 0; i--) {
    const j = scaleWords(words[2 * i], words[2 * i + 1], i + 1)
    const kept = order[i]
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}
