import { inflateSync } from 'fflate'
import { readExactly, type ByteSource } from '../byte-source.js'
import { crc32 } from './crc32.js'
import type { ZipEntry } from './directory.js'

type Fail = (problem: string) => Error

/** Deflate cannot do better: 258 bytes from 2 bits, and a few bytes of blocks around them. */
const maxDeflateRatio = 1032

/**
 * Reads one entry of a zip archive and checks its length and CRC-32.
 *
 * @param maxBytes largest entry that is read; a deflated one can be a thousand times what it takes in the file
 */
export async function readZipEntry(
  source: ByteSource,
  entry: ZipEntry,
  maxBytes: number,
  fail: Fail,
): Promise<Uint8Array> {
  const { bytes: length, compressedBytes, method } = entry
  if (length > maxBytes) throw fail(`must have at most ${maxBytes} bytes (${length}); raise maxBytes if that is right`)
  if (method === 'deflated' && length > compressedBytes * maxDeflateRatio) {
    throw fail(`${length} bytes must be able to come out of ${compressedBytes} deflated ones`)
  }
  const start = await findZipContent(source, entry, fail)
  const raw = await readExactly(source, start, start + compressedBytes, fail)
  const bytes = method === 'stored' ? raw : inflate(raw, length, fail)
  checkCrc(bytes, entry, fail)
  return bytes
}

/** Where the bytes of an entry begin: its local header is of any length. */
export async function findZipContent(source: ByteSource, entry: ZipEntry, fail: Fail): Promise<number> {
  const { byteOffset, byteLimit, compressedBytes } = entry
  const head = await readExactly(source, byteOffset, byteOffset + 30, fail)
  const view = new DataView(head.buffer, head.byteOffset, head.length)
  if (view.getUint32(0, true) !== 0x04034b50) throw fail('zip entry must begin with its signature')
  const start = byteOffset + 30 + view.getUint16(26, true) + view.getUint16(28, true)
  if (start + compressedBytes > byteLimit) throw fail('zip entry must not overlap the next one or the directory')
  return start
}

/** A checksum of 0 means that none was computed: torch can leave it out. */
export function checkCrc(bytes: Uint8Array, entry: ZipEntry, fail: Fail): void {
  if (entry.crc === 0) return
  const crc = crc32(bytes)
  if (crc !== entry.crc) throw fail(`content must have CRC-32 ${hex(entry.crc)} (${hex(crc)}); the file is damaged`)
}

function inflate(raw: Uint8Array, length: number, fail: Fail): Uint8Array {
  let bytes: Uint8Array
  try {
    // One byte of room more than there should be: fflate cuts at the end of the room without a word.
    bytes = inflateSync(raw, { out: new Uint8Array(length + 1) })
  } catch (error) {
    throw fail(`deflated content is damaged (${(error as Error).message})`)
  }
  if (bytes.length !== length) throw fail(`deflated content must have ${length} bytes`)
  return bytes
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}
