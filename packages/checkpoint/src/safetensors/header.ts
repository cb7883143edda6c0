import { arrayBytes, isStoredDType, storedDTypes, type StoredSpec } from '../dtype.js'
import { bracket, quote } from '../quote.js'
import { describeFormat } from '../format.js'
import type { Fail } from './error.js'
import { parseHeaderText, type HeaderEntry } from './header-text.js'

/** Where bytes stand: `byteOffset` counts from the start of the file. */
interface Place {
  readonly byteOffset: number
  readonly byteLength: number
}

/** Where one tensor stands. */
export interface SafetensorsEntry extends StoredSpec, Place {}

/** A tensor of a dtype that the format has and no typed array holds: it is listed and not read. */
export interface ForeignEntry extends Place {
  readonly dtype: string
  readonly shape: readonly number[]
}

/** Bits of an element of such a dtype. */
const FOREIGN_BITS: Readonly<Record<string, number>> = {
  C64: 64,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
}

/** What the head of a file says, checked. */
export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>
  readonly entries: ReadonlyMap<string, SafetensorsEntry>
  readonly foreign: ReadonlyMap<string, ForeignEntry>
}

/** Largest header that is read or written, in bytes; the format's own limit. */
export const maxHeaderBytes = 100_000_000

/** Bytes at the start of a file that `parseHeadLength` wants to see, or all that there are. */
export const headBytes = 16

/**
 * Length of the JSON header, from the first bytes of a file.
 *
 * @param head the first `headBytes` bytes, fewer when the file is shorter
 * @param size bytes in the whole file
 */
export function parseHeadLength(head: Uint8Array, size: number, fail: Fail): number {
  // Asked only once a file is known to be wrong: the magic bytes of zip and pickle are also valid header lengths.
  const wrong = (problem: string) => fail(describeFormat(head) ?? problem)
  if (size < 8) throw wrong(`a file must have at least 8 bytes (${size})`)
  const length = new DataView(head.buffer, head.byteOffset, head.length).getBigUint64(0, true)
  if (length > BigInt(maxHeaderBytes)) throw wrong(`header must be at most ${maxHeaderBytes} bytes (${length})`)
  if (length < 2n) throw wrong(`header must be a JSON object (${length} bytes)`)
  if (size > 8 && head[8] !== 0x7b) throw wrong('header must start with "{"')
  if (length > BigInt(size - 8)) throw wrong(`header of ${length} bytes must fit into the file (${size}; cut short?)`)
  return Number(length)
}

/**
 * Parses and checks a whole header: every tensor's size follows from dtype and shape, and the tensors cover the bytes after
 * the header exactly, without holes and overlaps.
 *
 * @param json the header without its length
 * @param size bytes in the whole file
 */
export function parseHeader(json: Uint8Array, size: number, fail: Fail): SafetensorsHeader {
  const { metadata, tensors } = parseHeaderText(decodeUtf8(json, fail), fail)
  const dataOffset = 8 + json.length
  const entries = new Map<string, SafetensorsEntry>()
  const foreign = new Map<string, ForeignEntry>()
  for (const [name, entry] of tensors) {
    const place = checkEntry(name, entry, dataOffset, size, fail)
    if (isStoredDType(place.dtype)) entries.set(name, { ...place, dtype: place.dtype })
    else foreign.set(name, place)
  }
  checkCoverage(new Map<string, Place>([...entries, ...foreign]), dataOffset, size, fail)
  return { metadata, entries, foreign }
}

function checkEntry(name: string, entry: HeaderEntry, dataOffset: number, size: number, fail: Fail): ForeignEntry {
  const who = `tensor ${quote(name)}`
  const { dtype, shape, start, end } = entry
  if (!isStoredDType(dtype) && !Object.hasOwn(FOREIGN_BITS, dtype)) {
    throw fail(`${who}: dtype must be one of ${storedDTypes.join(', ')} (${quote(dtype)})`)
  }
  if (end < start) throw fail(`${who}: data_offsets must not run backwards (${start} to ${end})`)
  const available = size - dataOffset
  if (end > available) {
    throw fail(`${who}: bytes ${start} to ${end} must lie within the data (${available} bytes; cut short?)`)
  }
  const bytes = isStoredDType(dtype) ? arrayBytes({ dtype, shape }) : foreignBytes(dtype, shape)
  if (bytes === undefined) throw fail(`${who}: shape ${bracket(shape)} must stay below 2^53 bytes`)
  if (bytes !== end - start) {
    throw fail(`${who}: ${dtype} ${bracket(shape)} must have ${bytes} bytes (data_offsets give ${end - start})`)
  }
  return { dtype, shape, byteOffset: dataOffset + start, byteLength: bytes }
}

function checkCoverage(entries: ReadonlyMap<string, Place>, dataOffset: number, size: number, fail: Fail) {
  const inOrder = [...entries].toSorted(([, a], [, b]) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength)
  let end = dataOffset
  let previous = ''
  for (const [name, entry] of inOrder) {
    if (entry.byteOffset < end) throw fail(`tensor ${quote(name)}: overlaps tensor ${quote(previous)}`)
    if (entry.byteOffset > end) {
      throw fail(`tensor ${quote(name)}: the ${entry.byteOffset - end} bytes before it belong to no tensor`)
    }
    end = entry.byteOffset + entry.byteLength
    previous = name
  }
  if (end !== size) throw fail(`the last ${size - end} bytes belong to no tensor`)
}

/** Bytes of a tensor that is not read; undefined from 2^53 on, or where they are no whole number. */
function foreignBytes(dtype: string, shape: readonly number[]): number | undefined {
  const bytes = (shape.reduce((product, length) => product * length, 1) * FOREIGN_BITS[dtype]) / 8
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

function decodeUtf8(bytes: Uint8Array, fail: Fail): string {
  // Pages refuse to decode shared memory, hence the copy there.
  const owned = bytes.buffer instanceof ArrayBuffer ? bytes : new Uint8Array(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(owned)
  } catch {
    throw fail('header must be UTF-8')
  }
}
