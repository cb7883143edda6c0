import { philox4x32 } from './philox.js'

/**
 * An endless sequence of random words, named by a seed and a stream id: plain data, safe to store and to send.
 *
 * The words of block `b` are `philox4x32([b mod 2^32, b / 2^32, ...stream], [seed mod 2^32, seed / 2^32])`.
 */
export interface RandomStream {
  /** Non-negative safe integer; the 64-bit Philox key. */
  readonly seed: number
  /** Two uint32, low word first; the upper half of the Philox counter. */
  readonly stream: readonly [number, number]
}

const NUMBER = 1
const STRING_LENGTH = 2
const STRING_BYTES = 3

/**
 * The stream that belongs to a path of names and numbers, such as `randomStream(0, 'noise', step)`.
 *
 * The 64-bit id starts at (0, 0) and absorbs the path from left to right with Philox itself as the hash,
 * `id = first two words of philox4x32([a, b, ...id], [tag, 0])`:
 *
 * - a number: tag 1, `a` and `b` are the low and high word of its float64 bits (-0 counts as 0);
 * - a string: tag 2 with `a` = its length in UTF-8 bytes and `b` = 0, then tag 3 for every 8 bytes, little-endian, the
 *   last ones padded with zeros.
 *
 * So the number 1 and the string '1' differ, and so do ['ab'] and ['a', 'b']; two different paths share an id with a
 * chance of about 2^-64. The seed takes no part in the id. An empty path has the id (0, 0).
 *
 * @param seed  non-negative safe integer
 * @param path  strings and finite numbers
 * @throws RangeError when the seed or a number of the path is out of range
 * @throws TypeError when a part of the path is neither a string nor a number
 *
 * @example
 * normals(randomStream(0, 'noise', 12), 4)
 */
export function randomStream(seed: number, ...path: (string | number)[]): RandomStream {
  checkSeed('randomStream', seed)
  let id: [number, number] = [0, 0]
  for (const part of path) {
    if (typeof part === 'number') id = absorbNumber(id, part)
    else if (typeof part === 'string') id = absorbString(id, part)
    else throw new TypeError(`randomStream: a path holds strings and numbers (got ${typeof part})`)
  }
  return { seed, stream: id }
}

/** Throws unless `seed` is a non-negative safe integer. */
export function checkSeed(caller: string, seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`${caller}: seed must be a non-negative safe integer (got ${seed})`)
  }
}

function absorb(id: readonly [number, number], tag: number, a: number, b: number): [number, number] {
  const [low, high] = philox4x32([a, b, id[0], id[1]], [tag, 0])
  return [low, high]
}

function absorbNumber(id: readonly [number, number], value: number): [number, number] {
  if (!Number.isFinite(value)) throw new RangeError(`randomStream: a number of the path must be finite (got ${value})`)
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value === 0 ? 0 : value, true)
  return absorb(id, NUMBER, view.getUint32(0, true), view.getUint32(4, true))
}

function absorbString(id: readonly [number, number], text: string): [number, number] {
  const bytes = new TextEncoder().encode(text)
  const padded = new DataView(new ArrayBuffer(Math.ceil(bytes.length / 8) * 8))
  new Uint8Array(padded.buffer).set(bytes)
  let next = absorb(id, STRING_LENGTH, bytes.length, 0)
  for (let at = 0; at < padded.byteLength; at += 8) {
    next = absorb(next, STRING_BYTES, padded.getUint32(at, true), padded.getUint32(at + 4, true))
  }
  return next
}
