// As much of the protobuf wire format as ONNX needs to be written: https://protobuf.dev/programming-guides/encoding/

/** A part of a message: bytes that are there, or the place of bytes that are read when they are written. */
export type Part = Uint8Array | Later

/** Bytes of a known length that come later. */
export interface Later {
  readonly byteLength: number
  readonly read: () => Promise<Uint8Array>
}

/** A message, or a field of one, as the parts that it consists of. */
export type Message = readonly Part[]

const VARINT = 0
const LENGTH_DELIMITED = 2
const FIXED32 = 5

export function byteLengthOf(message: Message): number {
  return message.reduce((total, { byteLength }) => total + byteLength, 0)
}

/** Integers, also negative ones (in ten bytes). */
export function integerField(field: number, value: number): Message {
  return [varint(field * 8 + VARINT), varint(value)]
}

export function floatField(field: number, value: number): Message {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setFloat32(0, value, true)
  return [varint(field * 8 + FIXED32), bytes]
}

export function textField(field: number, text: string): Message {
  return bytesField(field, [new TextEncoder().encode(text)])
}

/** Bytes, or a message inside another. */
export function bytesField(field: number, content: Message): Message {
  return [varint(field * 8 + LENGTH_DELIMITED), varint(byteLengthOf(content)), ...content]
}

/** Repeated integers in the packed form. */
export function packedField(field: number, values: readonly number[]): Message {
  return bytesField(field, values.map(varint))
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}
