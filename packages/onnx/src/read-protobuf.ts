// As much of the protobuf wire format as is needed to find a field: https://protobuf.dev/programming-guides/encoding/

/** Bytes that are not an ONNX model, or a damaged one. */
export class OnnxError extends Error {
  override readonly name = 'OnnxError'
}

/** A field of a message: its number, and its bytes where it has a length; null for a number, which is skipped. */
export interface Field {
  readonly field: number
  readonly content: Uint8Array | null
}

const VARINT = 0
const FIXED64 = 1
const LENGTH_DELIMITED = 2
const FIXED32 = 5

/** A varint has at most ten bytes, of seven bits each. */
const MOST_BYTES = 10

/**
 * The fields of a message, one after another, as views: nothing is copied, and what they hold is not parsed.
 *
 * @throws OnnxError where a field does not end within the message, or has a kind that ONNX does not use
 */
export function* fieldsOf(message: Uint8Array): Generator<Field, void, void> {
  for (let at = 0; at < message.length;) {
    const [tag, after] = varintAt(message, at)
    const [field, kind] = [Math.floor(tag / 8), tag % 8]
    if (field === 0) throw new OnnxError(`onnxMetadata: byte ${at} begins no field of an ONNX model`)
    if (kind === LENGTH_DELIMITED) {
      const [length, start] = varintAt(message, after)
      at = endOf(message, field, start, length)
      yield { field, content: message.subarray(start, at) }
      continue
    }
    at = endOf(message, field, after, sizeOfNumber(message, kind, field, after))
    yield { field, content: null }
  }
}

function sizeOfNumber(message: Uint8Array, kind: number, field: number, at: number): number {
  if (kind === VARINT) return varintAt(message, at)[1] - at
  if (kind === FIXED64) return 8
  if (kind === FIXED32) return 4
  throw new OnnxError(`onnxMetadata: field ${field} has kind ${kind}, which ONNX does not use`)
}

function endOf(message: Uint8Array, field: number, start: number, length: number): number {
  if (length <= message.length - start) return start + length
  throw new OnnxError(
    `onnxMetadata: field ${field} must have ${length} bytes, but ${message.length - start} are left: the file is damaged or cut off`,
  )
}

/** The number at a place, and the place after it. Large ones are rounded, which no length that fits into the message can be. */
function varintAt(message: Uint8Array, start: number): [value: number, after: number] {
  let value = 0
  for (let i = 0; i < MOST_BYTES; i++) {
    const byte = message[start + i]
    if (byte === undefined) throw new OnnxError('onnxMetadata: the file ends within a number: it is cut off')
    value += (byte & 127) * 2 ** (7 * i)
    if (byte < 128) return [value, start + i + 1]
  }
  throw new OnnxError(`onnxMetadata: the number at byte ${start} is longer than ${MOST_BYTES} bytes`)
}
