import { arrayBytes, itemBytes, requireSpec, type StoredSpec } from '../dtype.js'
import { quote } from '../quote.js'
import { maxHeaderBytes } from './header.js'

/** Tensors by name, in the order in which the header will list them. */
export type NamedTensors<T> = ReadonlyMap<string, T> | Readonly<Record<string, T>>

/** Pairs of name and tensor, in their order. */
export function namedList<T>(tensors: NamedTensors<T>): [string, T][] {
  return tensors instanceof Map ? [...(tensors as ReadonlyMap<string, T>)] : Object.entries(tensors)
}

/** Where everything goes in a file that is to be written. */
export interface SafetensorsLayout<T> {
  /** Length and JSON, padded with spaces to a multiple of 8 bytes: the file up to the first tensor. */
  readonly head: Uint8Array
  /** The tensors in the order of their bytes. */
  readonly placed: readonly { readonly name: string; readonly tensor: T; readonly byteOffset: number }[]
  /** Bytes in the whole file. */
  readonly size: number
}

/**
 * Lays out a file. Tensors with wider elements come first, otherwise in the given order, so that each is aligned to its element
 * size without holes, which the format forbids. The header keeps the given order.
 */
export function layoutSafetensors<T extends StoredSpec>(
  who: string,
  tensors: NamedTensors<T>,
  metadata: Readonly<Record<string, string>>,
): SafetensorsLayout<T> {
  const named = namedList(tensors)
  for (const [name, tensor] of named) {
    if (name === '__metadata__') throw new RangeError(`${who}: a tensor must not be called "__metadata__"`)
    requireWellFormed(who, name)
    requireSpec(`${who}: tensor ${quote(name)}`, tensor)
  }

  const starts = new Map<string, number>()
  let dataBytes = 0
  const inOrder = named.toSorted(([, a], [, b]) => itemBytes(b.dtype) - itemBytes(a.dtype))
  for (const [name, tensor] of inOrder) {
    starts.set(name, dataBytes)
    dataBytes += arrayBytes(tensor)!
  }

  const fields = named.map(([name, tensor]) => {
    const start = starts.get(name)!
    const place = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [start, start + arrayBytes(tensor)!] }
    return `${JSON.stringify(name)}:${JSON.stringify(place)}`
  })
  const metadataText = metadataField(who, metadata)
  if (metadataText !== undefined) fields.unshift(metadataText)

  const head = headOf(who, `{${fields.join(',')}}`)
  const size = head.length + dataBytes
  if (!Number.isSafeInteger(size)) throw new RangeError(`${who}: tensors must stay below 2^53 bytes together`)
  const placed = inOrder.map(([name, tensor]) => ({ name, tensor, byteOffset: head.length + starts.get(name)! }))
  return { head, placed, size }
}

function metadataField(who: string, metadata: Readonly<Record<string, string>>): string | undefined {
  const entries = Object.entries(metadata)
  if (entries.length === 0) return undefined
  const fields = entries.map(([key, value]) => {
    if (typeof value !== 'string') {
      throw new TypeError(`${who}: metadata ${quote(key)} must be a string (${typeof value})`)
    }
    requireWellFormed(who, key)
    requireWellFormed(who, value)
    return `${JSON.stringify(key)}:${JSON.stringify(value)}`
  })
  return `"__metadata__":{${fields.join(',')}}`
}

function headOf(who: string, json: string): Uint8Array {
  const text = new TextEncoder().encode(json)
  const length = Math.ceil(text.length / 8) * 8
  if (length > maxHeaderBytes) {
    throw new RangeError(`${who}: the header must be at most ${maxHeaderBytes} bytes (${length}); shorten the metadata`)
  }
  const head = new Uint8Array(8 + length).fill(0x20, 8)
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true)
  head.set(text, 8)
  return head
}

function requireWellFormed(who: string, text: string): void {
  if (/\p{Surrogate}/u.test(text)) {
    throw new RangeError(`${who}: names and metadata must be well-formed Unicode (${quote(text)})`)
  }
}
