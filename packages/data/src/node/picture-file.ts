import { stat } from 'node:fs/promises'
import type { Metadata } from 'sharp'
import { FORMATS, type FolderRules, KINDS, reasonAgainstContent } from './file-kinds.js'

/** Pixels of the largest picture that is decoded where no limit is given: a file of 30 kB can hold more and take a minute. */
export const MAX_PIXELS = 100_000_000
/** Pixels of its longest side; a higher `maxPixels` lifts this limit, too. */
export const MAX_SIDE = 32_768

/**
 * Looks at the kind of a file and its first bytes, before a decoder sees it: named pipes would never end, and SVG is a
 * language to run rather than a picture to decode.
 *
 * @returns why the file is of no kind that is decoded, or null
 */
export async function reasonAgainstFile(path: string, rules: FolderRules): Promise<string | null> {
  const found = await stat(path)
  if (!found.isFile()) return 'it is not a regular file'
  if (found.size === 0) return 'the file is empty'
  return reasonAgainstContent(path, rules)
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
