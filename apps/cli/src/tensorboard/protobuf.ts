/** Types of a field's value on the wire. */
const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/** Fields of a message one after the other. */
export function message(...fields: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(fields.reduce((size, field) => size + field.length, 0))
  let at = 0
  for (const field of fields) {
    out.set(field, at)
    at += field.length
  }
  return out
}

/** An integer from 0 to 2^53 - 1. */
export function integerField(id: number, value: number): Uint8Array {
  return message(key(id, WIRE.varint), varint(value))
}

export function doubleField(id: number, value: number): Uint8Array {
  const data = new Uint8Array(8)
  new DataView(data.buffer).setFloat64(0, value, true)
  return message(key(id, WIRE.fixed64), data)
}

export function floatField(id: number, value: number): Uint8Array {
  const data = new Uint8Array(4)
  new DataView(data.buffer).setFloat32(0, value, true)
  return message(key(id, WIRE.fixed32), data)
}

/** Text, bytes, or a message within a message. */
export function bytesField(id: number, value: Uint8Array | string): Uint8Array {
  const data = typeof value === 'string' ? new TextEncoder().encode(value) : value
  return message(key(id, WIRE.bytes), varint(data.length), data)
}

/** A field of a message that was read: an integer or a float as a number. */
export interface Field {
  readonly id: number
  readonly value: number | Uint8Array
}

/**
 * The fields of a message.
 *
 * @throws RangeError where it ends within a field, or has a type that is no longer used
 */
export function* fieldsOf(data: Uint8Array): Generator<Field, void, void> {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  let at = 0
  const readVarint = () => {
    let [value, factor] = [0, 1]
    for (;;) {
      const byte = view.getUint8(at++)
      value += (byte & 127) * factor
      factor *= 128
      if (byte < 128) return value
    }
  }
  while (at < data.length) {
    const head = readVarint()
    const [id, type] = [Math.floor(head / 8), head % 8]
    if (type === WIRE.varint) yield { id, value: readVarint() }
    else if (type === WIRE.fixed64 || type === WIRE.fixed32) {
      const value = type === WIRE.fixed64 ? view.getFloat64(at, true) : view.getFloat32(at, true)
      at += type === WIRE.fixed64 ? 8 : 4
      yield { id, value }
    } else if (type === WIRE.bytes) {
      const length = readVarint()
      if (at + length > data.length) throw new RangeError(`fieldsOf: field ${id} ends beyond its message`)
      yield { id, value: data.subarray(at, at + length) }
      at += length
    } else throw new RangeError(`fieldsOf: field ${id} has the unknown wire type ${type}`)
  }
}

function key(id: number, type: number): Uint8Array {
  return varint(id * 8 + type)
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  return Uint8Array.of(...bytes, rest)
}
