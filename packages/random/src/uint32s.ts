import { philoxInto } from './philox.js'
import { checkSeed, type RandomStream } from './stream.js'

/**
 * Raw words of a stream: word i is word `i mod 4` of Philox block `floor(i / 4)`.
 *
 * @param stream  from `randomStream`
 * @param count   how many words
 * @param start   index of the first word; `start + count` must not pass 2^53
 * @returns words `start .. start + count - 1`
 * @throws RangeError when `count` or `start` is not a non-negative safe integer
 */
export function uint32s(stream: RandomStream, count: number, start = 0): Uint32Array {
  checkRange('uint32s', stream, count, start)
  const words = new Uint32Array(count)
  fillWords(words, stream, start)
  return words
}

/** Throws unless the draws `start .. start + count - 1` of the stream exist. */
export function checkRange(caller: string, stream: RandomStream, count: number, start: number): void {
  checkSeed(caller, stream.seed)
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new RangeError(`${caller}: count must be a non-negative safe integer (got ${count})`)
  }
  if (!Number.isSafeInteger(start) || start < 0 || !Number.isSafeInteger(start + count)) {
    throw new RangeError(`${caller}: start must be a non-negative safe integer, start + count too (got ${start})`)
  }
}

/** Fills `out` with the stream's words from index `start` on. */
export function fillWords(out: Uint32Array, stream: RandomStream, start: number): void {
  const { seed } = stream
  const [streamLow, streamHigh] = stream.stream
  const keyLow = seed >>> 0
  const keyHigh = Math.floor(seed / 2 ** 32)
  const skip = start % 4
  let block = (start - skip) / 4
  let done = 0

  const edge = new Uint32Array(4)
  const partial = (from: number) => {
    philoxInto(edge, 0, block >>> 0, Math.floor(block / 2 ** 32), streamLow, streamHigh, keyLow, keyHigh)
    const taken = edge.subarray(from, Math.min(4, from + out.length - done))
    out.set(taken, done)
    done += taken.length
    block++
  }

  if (skip > 0) partial(skip)
  const whole = out.length - ((out.length - done) % 4)
  for (; done < whole; done += 4, block++) {
    philoxInto(out, done, block >>> 0, Math.floor(block / 2 ** 32), streamLow, streamHigh, keyLow, keyHigh)
  }
  if (done < out.length) partial(0)
}
