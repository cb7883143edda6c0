import { open, stat } from 'node:fs/promises'
import type { Metadata, Sharp } from 'sharp'

/** Pixels of the largest picture that is decoded: a square of 16,383 by 16,383, as large as WebP files can be. */
export const PIXEL_LIMIT = 16_383 ** 2

/** How a kind of file begins; a dot stands for any byte. */
type Signature = readonly [kind: string, begin: RegExp]

const DECODED: readonly Signature[] = [
  ['PNG', /^\x89PNG\r\n.\n/s],
  ['JPEG', /^\xff\xd8\xff/],
  ['WebP', /^RIFF.{4}WEBP/s],
]

// Only for the error's text.
const NAMED: readonly Signature[] = [
  ['GIF', /^GIF8/],
  ['TIFF', /^(II\*\0|MM\0\*)/],
  ['AVIF or HEIC', /^.{4}ftyp/s],
  ['BMP', /^BM/],
  ['PDF', /^%PDF/],
  ['SVG or other markup', /^(\xef\xbb\xbf)?\s*</],
]

/** What the decoder calls the kinds above; `uhdr` is a JPEG with a second picture for bright screens. */
const FORMATS: readonly string[] = ['png', 'jpeg', 'webp', 'uhdr']

/**
 * Looks at the kind of a file and its first bytes, before a decoder sees it: named pipes would never end, and SVG is a
 * language to run rather than a picture to decode.
 *
 * @returns why the file is no PNG, JPEG or WebP, or null
 */
export async function reasonAgainstFile(path: string): Promise<string | null> {
  const found = await stat(path)
  if (!found.isFile()) return 'it is not a regular file'
  if (found.size === 0) return 'the file is empty'
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0)
    const begin = buffer.toString('latin1', 0, bytesRead)
    if (kindIn(DECODED, begin) !== undefined) return null
    return `its content is ${kindIn(NAMED, begin) ?? 'of another kind'}, not PNG, JPEG or WebP`
  } finally {
    await file.close()
  }
}

/** @returns why the decoder must not decode the picture, from what it reads in its header, or null */
export async function reasonAgainstPicture(header: Sharp): Promise<string | null> {
  const { format, width, height }: Metadata = await header.metadata()
  if (!FORMATS.includes(format)) return `its content is ${format}, not PNG, JPEG or WebP`
  if (width * height > PIXEL_LIMIT) {
    return `it is too large: ${width} by ${height} pixels are more than ${PIXEL_LIMIT}; make it smaller`
  }
  return null
}

function kindIn(signatures: readonly Signature[], begin: string): string | undefined {
  return signatures.find(([, pattern]) => pattern.test(begin))?.[0]
}
