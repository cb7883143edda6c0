import type { FailTar } from './tar-error.js'

/** Bytes of a header, and what contents are padded to. */
export const BLOCK = 512

/** One header of an archive, as it stands there. */
export interface TarHeader {
  /** where the header begins */
  readonly offset: number
  readonly name: string
  /** bytes of content; of links and devices there is none, whatever it says */
  readonly size: number
  /** one character; `0` for a file */
  readonly type: string
  /** an old GNU sparse file, with a further block of its map */
  readonly isExtended: boolean
}

/** Where a header keeps what: POSIX.1-2001, "ustar Interchange Format". */
const [NAME, SIZE, CHECKSUM, TYPE, MAGIC, PREFIX] = [0, 124, 148, 156, 257, 345]
/** GNU tar's own: whether a sparse file's map goes on in another block, in a header and in such a block. */
const EXTENDED = 482
export const EXTENDED_MORE = 504

/**
 * Reads a header.
 *
 * @param block  512 bytes
 * @returns null for a block of zeros, which ends an archive
 * @throws the error that `fail` makes where the checksum is wrong or a number cannot be read
 */
export function readTarHeader(block: Uint8Array, offset: number, fail: FailTar): TarHeader | null {
  if (block.every((byte) => byte === 0)) return null
  checkSum(block, offset, fail)
  const type = String.fromCharCode(block[TYPE])
  const name = textAt(block, NAME, 100)
  // GNU tar has times at the place of the prefix, and says so by another magic.
  const prefix = textAt(block, MAGIC, 6) === 'ustar' ? textAt(block, PREFIX, 155) : ''
  const full = prefix === '' ? name : `${prefix}/${name}`
  return {
    offset,
    name: full,
    size: sizeAt(block, offset, fail),
    // Archives from before there were types for it.
    type: type === '\0' ? (full.endsWith('/') ? '5' : '0') : type,
    isExtended: type === 'S' && block[EXTENDED] !== 0,
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text of bytes: UTF-8, or Latin-1 where it is not, so that different names stay different. */
export function textOf(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  }
}

/** The sum of all bytes, its own place taken for spaces. Some old programs took bytes for signed numbers. */
function checkSum(block: Uint8Array, offset: number, fail: FailTar): void {
  let [sum, signed] = [0, 0]
  for (let i = 0; i < BLOCK; i++) {
    const counted = i >= CHECKSUM && i < CHECKSUM + 8 ? 0x20 : block[i]
    sum += counted
    signed += counted < 128 ? counted : counted - 256
  }
  const told = octal(block.subarray(CHECKSUM, CHECKSUM + 8))
  if (told === sum || told === signed) return
  if (offset === 0) throw fail('this is no tar archive, or its first header is damaged', 0)
  throw fail(`no header where one must be (its checksum is wrong): the archive is damaged`, offset)
}

/** Octal digits, or a number of 95 bits with the first bit set (GNU tar, for contents of 8 GiB and more). */
function sizeAt(block: Uint8Array, offset: number, fail: FailTar): number {
  const field = block.subarray(SIZE, SIZE + 12)
  const isBinary = (field[0] & 0x80) !== 0
  const size = isBinary
    ? field.reduce((value, byte, i) => value * 256 + (i === 0 ? byte & 0x7f : byte), 0)
    : octal(field)
  if (size === null || !Number.isSafeInteger(size)) {
    throw fail('the size of a member cannot be read: the archive is damaged', offset)
  }
  return size
}

/** @returns null where it is no octal number; nothing counts as 0 */
function octal(field: Uint8Array): number | null {
  const digits = textAt(field, 0, field.length).trim()
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : null
}

function textAt(block: Uint8Array, start: number, length: number): string {
  const field = block.subarray(start, start + length)
  const end = field.indexOf(0)
  return textOf(end < 0 ? field : field.subarray(0, end))
}
