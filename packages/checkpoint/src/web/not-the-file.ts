import { WebFileError } from './error.js'
import type { RequestOptions } from './request-options.js'

const HTML: ReadonlySet<string> = new Set(['text/html', 'application/xhtml+xml'])

/**
 * Refuses an answer of status 200 that is another thing than the file: pages for people come under that status, too.
 *
 * @throws WebFileError naming the content type
 */
export function checkContentType(
  who: string,
  url: string,
  { headers }: Response,
  accept: RequestOptions['accept'],
): void {
  const type = (headers.get('Content-Type') ?? '').split(';')[0].trim().toLowerCase()
  const isTaken =
    accept === undefined ? !HTML.has(type) : typeof accept === 'function' ? accept(type) : accept.includes(type)
  if (isTaken) return
  const given = type === '' ? 'an answer without a content type' : type
  const hint = HTML.has(type)
    ? 'a page and not the file (a login, a viewer, or an app that answers every address with its index.html?)'
    : 'which accept does not permit'
  throw new WebFileError(`${who}: ${url} gave ${given}, ${hint}`, { url, isPage: HTML.has(type) })
}

const LFS = 'version https://git-lfs'
/** As many first bytes as `isLfsPointer` looks at. */
export const LFS_BYTES = LFS.length

/** What Git keeps in place of a large file, a text of some hundred bytes, and servers without Git LFS give in its place. */
export function isLfsPointer(bytes: Uint8Array): boolean {
  return bytes.length >= LFS_BYTES && Array.from(LFS, (letter) => letter.charCodeAt(0)).every((c, i) => bytes[i] === c)
}

/** How error texts name it. */
export const LFS_PROBLEM = 'is a Git LFS pointer and not the file itself (does the server resolve Git LFS?)'
