import { readExactly, type ByteSource } from '../byte-source.js'
import { quote } from '../quote.js'

type Fail = (problem: string) => Error

/** A file in a zip archive, as the central directory lists it. */
export interface ZipEntry {
  readonly name: string
  readonly method: 'stored' | 'deflated'
  readonly crc: number
  readonly compressedBytes: number
  readonly bytes: number
  /** Where its local header begins. */
  readonly byteOffset: number
  /** What its local header, name and data must end before: the next entry or the directory. */
  readonly byteLimit: number
}

const endBytes = 22
const end64Bytes = 56
const locator64Bytes = 20
const maxCommentBytes = 0xffff
/** Largest directory that is read. A million names fit; a lie cannot allocate more. */
const maxDirectoryBytes = 2 ** 27

/**
 * Reads the central directory of a zip archive, zip64 included, without touching the entries.
 *
 * Refused: archives in parts, encryption, compression other than deflate, duplicate names, entries that overlap or lie outside.
 */
export async function readZipDirectory(source: ByteSource, fail: Fail): Promise<Map<string, ZipEntry>> {
  const { count, start, bytes } = await findDirectory(source, fail)
  if (start + bytes > source.size) throw fail(`zip directory must lie within the file (${start} + ${bytes} bytes)`)
  if (bytes > maxDirectoryBytes) throw fail(`zip directory must be at most ${maxDirectoryBytes} bytes (${bytes})`)
  if (count * 46 > bytes) throw fail(`zip directory of ${bytes} bytes cannot hold ${count} entries`)
  const found = parseDirectory(await readExactly(source, start, start + bytes, fail), count, fail)

  const entries = new Map<string, ZipEntry>(found.map((entry) => [entry.name, { ...entry, byteLimit: start }]))
  let limit = start
  for (const entry of found.toSorted((a, b) => b.byteOffset - a.byteOffset)) {
    // 30 bytes of local header and at least one of name; the exact end is known once the entry is read.
    if (entry.byteOffset + 30 + entry.compressedBytes > limit) {
      throw fail(`zip entry ${quote(entry.name)} must not overlap the next one or the directory`)
    }
    entries.set(entry.name, { ...entry, byteLimit: limit })
    limit = entry.byteOffset
  }
  return entries
}

async function findDirectory(source: ByteSource, fail: Fail): Promise<{ count: number; start: number; bytes: number }> {
  const tailStart = Math.max(0, source.size - endBytes - maxCommentBytes)
  const tail = await readExactly(source, tailStart, source.size, fail)
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length)
  let at = tail.length - endBytes
  // The comment's length must reach exactly to the end, or the signature is only part of a comment.
  while (
    at >= 0 &&
    (view.getUint32(at, true) !== 0x06054b50 || at + endBytes + view.getUint16(at + 20, true) !== tail.length)
  )
    at--
  if (at < 0) throw fail('must be a zip archive (no end of a directory found; cut short?)')

  const isWhole = view.getUint16(at + 4, true) === view.getUint16(at + 6, true)
  const count = view.getUint16(at + 10, true)
  if (!isWhole || view.getUint16(at + 8, true) !== count) throw fail('zip archive must be in one part')
  const bytes = view.getUint32(at + 12, true)
  const start = view.getUint32(at + 16, true)
  const endOffset = tailStart + at
  if (count !== 0xffff && bytes !== 0xffffffff && start !== 0xffffffff) return { count, start, bytes }
  return findDirectory64(source, endOffset, { count, start, bytes }, fail)
}

/** Where a field of the old record is full, the zip64 record before it has the number. */
async function findDirectory64<T>(source: ByteSource, endOffset: number, old: T, fail: Fail) {
  if (endOffset < locator64Bytes) return old
  const locator = viewOf(await readExactly(source, endOffset - locator64Bytes, endOffset, fail))
  if (locator.getUint32(0, true) !== 0x07064b50) return old
  const offset = integer64(locator, 8, fail)
  if (offset + end64Bytes > endOffset) throw fail('zip64 record must lie within the file')
  const record = viewOf(await readExactly(source, offset, offset + end64Bytes, fail))
  if (record.getUint32(0, true) !== 0x06064b50) throw fail('zip64 record must begin with its signature')
  return { count: integer64(record, 32, fail), start: integer64(record, 48, fail), bytes: integer64(record, 40, fail) }
}

function parseDirectory(directory: Uint8Array, count: number, fail: Fail): Omit<ZipEntry, 'byteLimit'>[] {
  const view = viewOf(directory)
  const entries: Omit<ZipEntry, 'byteLimit'>[] = []
  const names = new Set<string>()
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.length || view.getUint32(at, true) !== 0x02014b50) {
      throw fail(`zip directory must list ${count} entries (entry ${i} is malformed)`)
    }
    const nameEnd = at + 46 + view.getUint16(at + 28, true)
    const extraEnd = nameEnd + view.getUint16(at + 30, true)
    const next = extraEnd + view.getUint16(at + 32, true)
    if (next > directory.length) throw fail(`zip directory must list ${count} entries (entry ${i} is cut short)`)
    const name = decodeName(directory.subarray(at + 46, nameEnd), fail)
    if (names.has(name)) throw fail(`zip entry ${quote(name)} must stand in the directory once`)
    names.add(name)
    entries.push({ name, ...parseEntry(view, at, nameEnd, extraEnd, name, fail) })
    at = next
  }
  if (at !== directory.length) throw fail(`zip directory must list ${count} entries and no more`)
  return entries
}

function parseEntry(view: DataView, at: number, extraStart: number, extraEnd: number, name: string, fail: Fail) {
  if (view.getUint16(at + 8, true) & 1) throw fail(`zip entry ${quote(name)} must not be encrypted`)
  const methodCode = view.getUint16(at + 10, true)
  if (methodCode !== 0 && methodCode !== 8) {
    throw fail(`zip entry ${quote(name)} must be stored or deflated (method ${methodCode})`)
  }
  const method: ZipEntry['method'] = methodCode === 0 ? 'stored' : 'deflated'
  const crc = view.getUint32(at + 16, true)

  let extra = zip64Extra(view, extraStart, extraEnd)
  const wide = (short: number): number => {
    if (short !== 0xffffffff || !extra) return short
    if (extra.at + 8 > extra.end) throw fail(`zip entry ${quote(name)} has a zip64 field that is cut short`)
    const value = integer64(view, extra.at, fail)
    extra = { at: extra.at + 8, end: extra.end }
    return value
  }
  // The order of the zip64 field: whole size, compressed size, offset, each only where the short field is full.
  const bytes = wide(view.getUint32(at + 24, true))
  const compressedBytes = wide(view.getUint32(at + 20, true))
  const byteOffset = wide(view.getUint32(at + 42, true))
  if (method === 'stored' && bytes !== compressedBytes) {
    throw fail(`zip entry ${quote(name)} is stored, so its sizes must agree (${compressedBytes}, ${bytes})`)
  }
  return { method, crc, compressedBytes, bytes, byteOffset }
}

function zip64Extra(view: DataView, start: number, end: number): { at: number; end: number } | undefined {
  let at = start
  while (at + 4 <= end) {
    const fieldEnd = at + 4 + view.getUint16(at + 2, true)
    if (view.getUint16(at, true) === 1) return { at: at + 4, end: Math.min(fieldEnd, end) }
    at = fieldEnd
  }
  return undefined
}

function decodeName(bytes: Uint8Array, fail: Fail): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw fail('zip entry names must be UTF-8')
  }
}

function integer64(view: DataView, at: number, fail: Fail): number {
  const value = view.getBigUint64(at, true)
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw fail(`zip64 sizes must stay below 2^53 (${value})`)
  return Number(value)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
