import type { ByteSource } from '../byte-source.js'
import { ask, type ReadPart } from './ask.js'
import { WebFileError } from './error.js'
import { sizeProblem } from './expected.js'
import { checkContentType, isLfsPointer, LFS_BYTES, LFS_PROBLEM } from './not-the-file.js'
import { refusal } from './refusal.js'
import { checkRequestOptions, type RequestOptions } from './request-options.js'
import { Break, retrying } from './retry.js'
import { type FileVersion, isPlain, strongTag, versionOf } from './version.js'

/** The options of `urlSource`. */
export type UrlSourceOptions = RequestOptions

/** A source that says how sure it is of its file. */
export interface UrlSource extends ByteSource {
  /**
   * Whether a strong ETag proves that all reads are of one version of the file. Without one a change is noticed by its size, its date,
   * its weak ETag or another place that an address leads to; one that alters none of these is not.
   */
  readonly isOneVersion: boolean
}

/** What all ranges of a file must share. */
interface Opened extends FileVersion {
  readonly size: number
  readonly tag: string | null
}

/**
 * A file behind an address, read by byte ranges: `openSafetensors(await urlSource(url))` fetches the header now and each
 * tensor when it is asked for. A range that breaks or stalls goes on where it broke, and a busy server is asked again, as by
 * `fetchFile`.
 *
 * @throws WebFileError where the server refuses, does not answer ranges, or gives another thing than the file (an HTML page, a Git LFS
 *   pointer); where the file has another size than expected or changes between two ranges
 * @throws RangeError for an option that is out of range; the reason of `signal` once it is aborted
 *
 * RFC 9110, section 14.
 */
export async function urlSource(url: string, options: UrlSourceOptions = {}): Promise<UrlSource> {
  const { size, accept, retries = 3, stallSeconds = 30, headers: given, signal } = options
  checkRequestOptions('urlSource', options)
  const fail = (problem: string) => new WebFileError(`urlSource: ${url} ${problem}`, { url })
  let opened: Opened | null = null

  /** Asks for a range, and gives the answer to `use` once it is sure to be that range of the same file. */
  const askRange = <T>(start: number, end: number, use: (response: Response, read: ReadPart) => Promise<T>) => {
    const headers: Record<string, string> = { ...given, Range: `bytes=${start}-${end - 1}` }
    if (typeof opened?.tag === 'string') headers['If-Range'] = opened.tag
    // Browsers keep answers in part, too, and would join bytes of an earlier version of the file to those of this one.
    const question = { who: 'urlSource', url, headers, cache: 'no-store', stallSeconds, signal } as const
    return ask({ ...question, hasAnswered: opened !== null }, async (response, read) => {
      if (!response.ok) throw refusal('urlSource', url, response)
      checkContentType('urlSource', url, response, accept)
      if (response.status !== 206) {
        throw fail(opened?.tag ? 'has changed meanwhile' : 'does not answer byte ranges; fetchFile loads the whole')
      }
      if (!isPlain(response.headers)) throw fail('gives ranges of compressed bytes; fetchFile loads the whole')
      if (opened !== null) {
        const problem = changeOf(opened, response) ?? rangeProblem(response, start, end, opened.size)
        if (problem !== null) throw fail(problem)
      }
      return use(response, read)
    })
  }

  const read = async (start: number, end: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(end - start)
    let at = 0
    const attempt = () =>
      askRange(start + at, end, async (_, readPart) => {
        for (let part = await readPart(); part !== undefined; part = await readPart()) {
          if (at + part.length > bytes.length) throw fail(`gave more than the bytes ${start} to ${end} asked for`)
          bytes.set(part, at)
          at += part.length
        }
        if (at < bytes.length) throw new Break(fail(`ended after ${at} of the bytes ${start} to ${end}`), 0)
      })
    if (bytes.length > 0) await retrying(attempt, { retries, signal })
    return bytes
  }

  opened = await retrying(
    () =>
      askRange(0, LFS_BYTES, async (response, readPart) => {
        const told = sizeIn(response)
        if (told === null) {
          throw fail('does not tell its size in Content-Range (a server of another origin must expose that header)')
        }
        const problem = rangeProblem(response, 0, Math.min(LFS_BYTES, told), told)
        if (problem !== null) throw fail(problem)
        if (isLfsPointer(await readHead(readPart))) throw fail(LFS_PROBLEM)
        if (size !== undefined && told !== size) throw fail(sizeProblem(told, size))
        return { ...versionOf(response), size: told, tag: strongTag(response) }
      }),
    { retries, signal },
  )
  return { size: opened.size, name: url, isOneVersion: opened.tag !== null, read }
}

/** How an answer differs from the file that was opened, or null. */
function changeOf({ tag, etag, date, place }: Opened, response: Response): string | null {
  const now = versionOf(response)
  // The answer to If-Range need not repeat the date, and a strong tag needs none.
  if (tag !== null) return now.etag === tag ? null : 'has changed meanwhile'
  if (now.etag !== etag || now.date !== date) return 'has changed meanwhile'
  if (now.place === place) return null
  return `now leads to ${now.place} instead of ${place}, and no strong ETag proves that the file is the same`
}

function rangeProblem({ headers }: Response, start: number, end: number, size: number): string | null {
  const [asked, given] = [`bytes ${start}-${end - 1}/${size}`, headers.get('Content-Range')]
  return given === asked ? null : `was asked for ${asked} and gave others (Content-Range: ${given})`
}

function sizeIn({ headers }: Response): number | null {
  const size = Number(/\/(\d+)$/.exec(headers.get('Content-Range') ?? '')?.[1] ?? Number.NaN)
  return Number.isSafeInteger(size) ? size : null
}

async function readHead(readPart: ReadPart): Promise<Uint8Array> {
  const head: number[] = []
  for (let part = await readPart(); part !== undefined && head.length < LFS_BYTES; part = await readPart()) {
    head.push(...part.subarray(0, LFS_BYTES))
  }
  return Uint8Array.from(head)
}
