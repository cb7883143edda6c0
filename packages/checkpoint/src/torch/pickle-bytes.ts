import type { Fail } from './error.js'

/** The bytes ended within a pickle: there may be more in the file. */
export class CutShort extends Error {
  override readonly name = 'CutShort'
}

/** Longest integer that is read, in bytes: the time to convert one grows faster than its length. */
const MAX_INTEGER_BYTES = 256

/** Longest name of a module or of something in it. */
const MAX_NAME_BYTES = 1000

/** The arguments of pickle's opcodes, read one after the other. Lengths are checked against what is there before anything is made. */
export class PickleBytes {
  at: number
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly fail: Fail

  constructor(bytes: Uint8Array, at: number, fail: Fail) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.at = at
    this.fail = fail
  }

  /** Passes `length` bytes; returns where they begin. */
  pass(length: number): number {
    const start = this.at
    if (length > this.bytes.length - start) throw new CutShort(`${length} bytes at ${start}`)
    this.at = start + length
    return start
  }

  uint8(): number {
    return this.bytes[this.pass(1)]
  }

  uint16(): number {
    return this.view.getUint16(this.pass(2), true)
  }

  uint32(): number {
    return this.view.getUint32(this.pass(4), true)
  }

  int32(): number {
    return this.view.getInt32(this.pass(4), true)
  }

  /** A length of eight bytes. */
  uint64(): number {
    const value = this.view.getBigUint64(this.pass(8), true)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.fail(`a length must stay below 2^53 (${value})`)
    return Number(value)
  }

  /** Floats stand with their most significant byte first. */
  float64(): number {
    return this.view.getFloat64(this.pass(8), false)
  }

  /** A little-endian two's complement integer of `length` bytes. */
  integer(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES)
      throw this.fail(`an integer must have at most ${MAX_INTEGER_BYTES} bytes (${length})`)
    const start = this.pass(length)
    let value = 0n
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[start + i])
    const signed = length === 0 ? 0n : BigInt.asIntN(8 * length, value)
    const small = Number(signed)
    return Number.isSafeInteger(small) ? small : signed
  }

  slice(length: number): Uint8Array {
    const start = this.pass(length)
    return this.bytes.slice(start, start + length)
  }

  text(length: number): string {
    const start = this.pass(length)
    try {
      return utf8.decode(this.bytes.slice(start, start + length))
    } catch {
      throw this.fail(`a string at byte ${start} must be UTF-8`)
    }
  }

  /** A name up to a line feed. */
  line(): string {
    const end = this.bytes.subarray(this.at, this.at + MAX_NAME_BYTES).indexOf(0x0a)
    if (end >= 0) {
      const text = this.text(end)
      this.at++
      return text
    }
    if (this.bytes.length - this.at < MAX_NAME_BYTES) throw new CutShort('a name')
    throw this.fail(`a name must have at most ${MAX_NAME_BYTES} bytes`)
  }
}

const utf8 = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
