import { type RandomStream, uniforms } from '@dit/random'

/** Draws numbers for the mutator. */
export type Draw = (below: number) => number

/** Whole numbers from a stream, some at a time. */
export function drawsOf(stream: RandomStream): Draw {
  const batch = 4096
  let values = new Float32Array() as Float32Array
  let [at, start] = [0, 0]
  return (below) => {
    if (at === values.length) {
      values = uniforms(stream, batch, start)
      start += batch
      at = 0
    }
    return Math.min(below - 1, Math.floor(values[at++] * below))
  }
}

const INTERESTING = [
  0,
  1,
  2,
  0x7f,
  0x80,
  0xff,
  0x7fff,
  0x8000,
  0xffff,
  0x7fffffff,
  0x80000000,
  0xffffffff,
  2 ** 53,
  2 ** 63,
]

/** Inputs grow no longer. */
const MAX_BYTES = 2 ** 16

/** One input made of another, by one to eight small changes; now and then with a piece of a second one. */
export function mutate(input: Uint8Array, other: Uint8Array, words: readonly Uint8Array[], draw: Draw): Uint8Array {
  let bytes: Uint8Array = input.slice()
  for (let left = 1 << draw(4); left > 0; left--) bytes = change(bytes, other, words, draw)
  return bytes.subarray(0, MAX_BYTES)
}

function change(bytes: Uint8Array, other: Uint8Array, words: readonly Uint8Array[], draw: Draw): Uint8Array {
  const at = draw(bytes.length + 1)
  const length = 1 + draw(1 << (1 + draw(8)))
  switch (draw(9)) {
    case 0:
      if (at < bytes.length) bytes[at] ^= 1 << draw(8)
      return bytes
    case 1:
      if (at < bytes.length) bytes[at] = draw(256)
      return bytes
    case 2:
      return writeNumber(bytes, at, INTERESTING[draw(INTERESTING.length)] + draw(3) - 1, 1 << draw(4))
    case 3:
      return joined(bytes.subarray(0, at), bytes.subarray(at + length)) // remove
    case 4:
      return joined(bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)) // repeat
    case 5: {
      const from = draw(other.length + 1)
      return joined(bytes.subarray(0, at), other.subarray(from, from + length), bytes.subarray(at)) // insert
    }
    case 6: {
      const from = draw(other.length + 1)
      return joined(bytes.subarray(0, at), other.subarray(from)) // cross
    }
    case 7:
      return words.length === 0 ? bytes : joined(bytes.subarray(0, at), words[draw(words.length)], bytes.subarray(at))
    default: {
      if (words.length === 0) return bytes
      const word = words[draw(words.length)]
      return joined(bytes.subarray(0, at), word, bytes.subarray(at + word.length)) // overwrite
    }
  }
}

function writeNumber(bytes: Uint8Array, at: number, value: number, size: number): Uint8Array {
  let rest = BigInt(Math.trunc(value))
  for (let i = at; i < Math.min(at + size, bytes.length); i++, rest >>= 8n) bytes[i] = Number(rest & 255n)
  return bytes
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
