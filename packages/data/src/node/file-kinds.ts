import { open } from 'node:fs/promises'
import { extname } from 'node:path'

/**
 * How a folder is read. 1: only PNG, JPEG and WebP, by their commonest suffixes; every visible folder is a class; `skipBad` may
 * leave a class empty. 2: what this package says of folders otherwise.
 */
export type FolderRules = 1 | 2

const SUFFIXES: Readonly<Record<FolderRules, RegExp>> = {
  1: /\.(png|jpe?g|webp)$/i,
  2: /\.(a?png|jpe?g|jpe|jfif|webp|avif|gif|tiff?)$/i,
}

/** Pictures that are not decoded; the reader of a folder tells them from notes and lists. */
const OTHER_PICTURES =
  /\.(bmp|dib|hei[cf]|jxl|jp2|j2k|svgz?|psd|tga|ico|exr|hdr|p[bgpn]m|dng|cr[23w]|nef|arw|raw|pdf|eps|ai|xcf)$/i

/** Folders and files that systems, cameras and network drives put beside pictures, in lower case. */
const JUNK: ReadonlySet<string> = new Set([
  '@eadir',
  '@recycle',
  '@recently-snapshot',
  '#recycle',
  '#snapshot',
  '$recycle.bin',
  'system volume information',
  'lost+found',
  '__macosx',
  'thumbs.db',
  'ehthumbs.db',
  'desktop.ini',
  'icon\r',
])

/** How a kind of file begins; a dot stands for any byte. */
type Signature = readonly [kind: string, begin: RegExp]

const FIRST: readonly Signature[] = [
  ['PNG', /^\x89PNG\r\n.\n/s],
  ['JPEG', /^\xff\xd8\xff/],
  ['WebP', /^RIFF.{4}WEBP/s],
]

const DECODED: Readonly<Record<FolderRules, readonly Signature[]>> = {
  1: FIRST,
  2: [
    ...FIRST,
    ['GIF', /^GIF8[79]a/],
    ['TIFF', /^(II\*\0|MM\0\*)/],
    ['AVIF', /^.{4}ftyp(avif|avis|mif1|miaf|MA1[AB])/s],
  ],
}

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
export const FORMATS: Readonly<Record<FolderRules, readonly string[]>> = {
  1: ['png', 'jpeg', 'webp', 'uhdr'],
  2: ['png', 'jpeg', 'webp', 'uhdr', 'gif', 'tiff', 'heif'],
}

/** The kinds that are decoded, for messages. */
export const KINDS: Readonly<Record<FolderRules, string>> = {
  1: 'PNG, JPEG or WebP',
  2: 'PNG, JPEG, WebP, AVIF, GIF or TIFF',
}

/** Whether a file is taken for a picture by its name. */
export function isPictureName(name: string, rules: FolderRules): boolean {
  return SUFFIXES[rules].test(name)
}

/** Whether only the content can say if a file is a picture. */
export function isWithoutSuffix(name: string): boolean {
  return extname(name) === ''
}

/** Whether a file is a picture of a kind that is not decoded, by its name. */
export function isOtherPictureName(name: string): boolean {
  return OTHER_PICTURES.test(name)
}

/** Whether a folder or file is looked at: neither hidden nor something that a system has put there. */
export function isVisible(name: string, rules: FolderRules): boolean {
  return !name.startsWith('.') && !(rules === 2 && JUNK.has(name.toLowerCase()))
}

/**
 * Looks at the first bytes of a regular file, before a decoder sees it.
 *
 * @returns why the file is not of a kind that is decoded, or null
 */
export async function reasonAgainstContent(path: string, rules: FolderRules): Promise<string | null> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0)
    return reasonAgainstBeginning(buffer.subarray(0, bytesRead), rules)
  } finally {
    await file.close()
  }
}

/** The same for what is in memory; its first 64 bytes count. */
export function reasonAgainstBeginning(bytes: Buffer, rules: FolderRules): string | null {
  const begin = bytes.toString('latin1', 0, 64)
  if (kindIn(DECODED[rules], begin) !== undefined) return null
  return `its content is ${kindIn(NAMED, begin) ?? 'of another kind'}, not ${KINDS[rules]}`
}

function kindIn(signatures: readonly Signature[], begin: string): string | undefined {
  return signatures.find(([, pattern]) => pattern.test(begin))?.[0]
}
