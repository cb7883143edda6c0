import { open, stat } from 'node:fs/promises'
import type { Metadata } from 'sharp'
import { FORMATS, type FolderRules, KINDS, reasonAgainstBeginning, reasonAgainstContent } from './file-kinds.js'

/** Pixels of the largest picture that is decoded where no limit is given: a file of 30 kB can hold more and take a minute. */
export const MAX_PIXELS = 100_000_000
/** Pixels of its longest side; a higher `maxPixels` lifts this limit, too. */
export const MAX_SIDE = 32_768
/** Bytes of the largest picture in an archive, which is read into memory. */
const MAX_BYTES = 2 ** 29

/** An archive as it was when its members were listed. */
export interface Archive {
  readonly path: string
  readonly size: number
  readonly modified: number
}

/** Where a picture lies: in a file of its own, or in a part of an archive. */
export type PicturePlace = string | { readonly archive: Archive; readonly start: number; readonly end: number }

/**
 * Finds what a decoder may read: the path of a file, or the bytes of an archive's member.
 *
 * Looks at the kind of a file and its first bytes, before a decoder sees it: named pipes would never end, and SVG is a
 * language to run rather than a picture to decode.
 *
 * @returns its reason where it is of no kind that is decoded
 */
export async function pictureInput(
  place: PicturePlace,
  rules: FolderRules,
): Promise<string | Buffer | { readonly reason: string }> {
  if (typeof place !== 'string') return memberBytes(place, rules)
  const found = await stat(place)
  if (!found.isFile()) return { reason: 'it is not a regular file' }
  if (found.size === 0) return { reason: 'the file is empty' }
  const reason = await reasonAgainstContent(place, rules)
  return reason === null ? place : { reason }
}

async function memberBytes(
  place: Exclude<PicturePlace, string>,
  rules: FolderRules,
): Promise<Buffer | { readonly reason: string }> {
  const size = place.end - place.start
  if (size === 0) return { reason: 'the file is empty' }
  if (size > MAX_BYTES) return { reason: `it is too large: ${size} bytes are more than ${MAX_BYTES}; make it smaller` }
  // A large one is looked at before all of it is read.
  const end = size > 2 ** 20 ? place.start + 64 : place.end
  const bytes = await readMember({ ...place, end })
  const reason = reasonAgainstBeginning(bytes, rules)
  if (reason === null && end < place.end) return readMember(place)
  return reason === null ? bytes : { reason }
}

/**
 * Reads a member of an archive.
 *
 * @throws Error where the archive is not what it was
 */
export async function readMember({ archive, start, end }: Exclude<PicturePlace, string>): Promise<Buffer> {
  const file = await open(archive.path)
  try {
    const { size, mtimeMs } = await file.stat()
    const bytes = Buffer.alloc(end - start)
    const isSame = size === archive.size && mtimeMs === archive.modified
    if (!isSame || (await file.read(bytes, 0, bytes.length, start)).bytesRead < bytes.length) {
      throw new Error('the shard was changed since it was opened')
    }
    return bytes
  } finally {
    await file.close()
  }
}

/** @returns why the decoder must not decode a picture, from what it reads in its header, or null */
export function reasonAgainstPicture(
  { format, compression, width, height }: Metadata,
  rules: FolderRules,
  maxPixels: number,
): string | null {
  if (!FORMATS[rules].includes(format)) return `its content is ${format}, not ${KINDS[rules]}`
  // HEIC is the same container around another codec.
  if (format === 'heif' && compression !== 'av1') return `its content is HEIC, not ${KINDS[rules]}`
  const is = `it is too large: ${width} by ${height} pixels are more than`
  const advice = 'make it smaller, or raise maxPixels'
  if (width * height > maxPixels) return `${is} ${maxPixels}; ${advice}`
  if (maxPixels <= MAX_PIXELS && Math.max(width, height) > MAX_SIDE) return `${is} ${MAX_SIDE} a side; ${advice}`
  return null
}
