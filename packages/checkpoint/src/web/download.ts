import { ask, type Question } from './ask.js'
import { WebFileError } from './error.js'
import { sizeProblem } from './expected.js'
import type { Validators } from './file-cache.js'
import { checkContentType } from './not-the-file.js'
import { refusal } from './refusal.js'
import type { RequestOptions } from './request-options.js'
import { Break } from './retry.js'
import { isPlain, strongTag, versionOf } from './version.js'

/** A file that is coming in, over one or more attempts. */
export interface Download {
  parts: Uint8Array[]
  bytes: number
  total: number | null
  /** The strong ETag of the parts, and where they came from: only under the same two are further parts joined to them. */
  version: { readonly tag: string; readonly place: string } | null
  validators: Validators
  hasAnswered: boolean
}

export interface DownloadOptions extends Pick<RequestOptions, 'size' | 'accept' | 'headers'> {
  readonly maxBytes: number
  readonly question: Omit<Question, 'headers' | 'hasAnswered'>
  readonly onPart: (download: Download) => void
}

export function startDownload(): Download {
  return { parts: [], bytes: 0, total: null, version: null, validators: {}, hasAnswered: false }
}

/**
 * One attempt: goes on where the download is if its version is known, and begins anew otherwise, as it does where the server
 * cannot prove that what follows is of that version.
 *
 * @returns whether the server says that the file is still the one that is kept
 * @throws Break where another attempt may go on; WebFileError where none would help; whatever `onPart` throws
 */
export async function continueDownload(
  download: Download,
  kept: Response | undefined,
  options: DownloadOptions,
): Promise<boolean> {
  if (download.version === null) restart(download)
  for (;;) {
    const isUnchanged = await receive(download, kept, options)
    if (isUnchanged !== null) return isUnchanged
    restart(download)
  }
}

/** @returns null where the answer does not belong to what is here */
async function receive(
  download: Download,
  kept: Response | undefined,
  { question, size, maxBytes, accept, headers: given, onPart }: DownloadOptions,
): Promise<boolean | null> {
  const { who, url } = question
  const isResuming = download.bytes > 0
  const headers = { ...given, ...(isResuming ? rangeFrom(download) : conditions(kept)) }
  return ask({ ...question, headers, hasAnswered: download.hasAnswered }, async (response, read) => {
    const { status } = response
    download.hasAnswered = true
    if (status === 304 && kept !== undefined && !isResuming) return true
    if (status === 416 && isResuming) return null
    if (status !== 200 && status !== 206) throw refusal(who, url, response)
    checkContentType(who, url, response, accept)
    if (status === 206) {
      checkRange(who, url, response, download)
      if (!isProven(response, download)) return null
    } else begin(download, response)
    // Servers of other origins hide that an answer is compressed, and then its length is not the file's. Short answers come
    // whole, to be told what they are.
    const isTotal = download.total !== null && download.total > 1024 && response.type !== 'cors'
    if (size !== undefined && isTotal && download.total !== size) throw wrongSize(who, url, download.total!, size)
    if (download.total !== null && download.total > maxBytes) throw tooLong(who, url, download.total, maxBytes)
    for (let part = await read(); part !== undefined; part = await read()) {
      download.parts.push(part)
      download.bytes += part.length
      // More than there should be: it was compressed after all.
      if (download.total !== null && download.bytes > download.total) {
        Object.assign(download, { total: null, version: null })
      }
      if (size !== undefined && download.bytes > size) throw wrongSize(who, url, `at least ${download.bytes}`, size)
      if (download.bytes > maxBytes) throw tooLong(who, url, null, maxBytes)
      onPart(download)
    }
    const { bytes, total } = download
    if (total !== null && bytes !== total) {
      throw new Break(new WebFileError(`${who}: ${url} ended after ${bytes} of ${total} bytes`, { url }), 0)
    }
    return false
  })
}

function rangeFrom({ bytes, version }: Download): Record<string, string> {
  return { Range: `bytes=${bytes}-`, 'If-Range': version!.tag }
}

function conditions(kept: Response | undefined): Record<string, string> {
  const tag = kept?.headers.get('ETag')
  if (typeof tag === 'string') return { 'If-None-Match': tag }
  const date = kept?.headers.get('Last-Modified')
  return typeof date === 'string' ? { 'If-Modified-Since': date } : {}
}

/** Makes sure that an answer in part goes on where the download is, as far as the server lets pages see. */
function checkRange(who: string, url: string, { headers }: Response, { bytes }: Download): void {
  const range = headers.get('Content-Range')
  const start = range === null ? bytes : Number(/^bytes (\d+)-/.exec(range)?.[1])
  if (bytes > 0 && start === bytes) return
  const asked = bytes === 0 ? 'the whole file' : `the bytes from ${bytes}`
  throw new WebFileError(`${who}: ${url} was asked for ${asked} and gave others (Content-Range: ${range})`, { url })
}

/** Whether an answer in part is of the same version and lies where it says: same strong ETag, place and total. */
function isProven(response: Response, { version, total }: Download): boolean {
  const size = /\/(\d+|\*)$/.exec(response.headers.get('Content-Range') ?? '')?.[1]
  const isSameSize = size !== undefined && (size === '*' || total === null || Number(size) === total)
  return isSameSize && strongTag(response) === version!.tag && versionOf(response).place === version!.place
}

function begin(download: Download, response: Response): void {
  restart(download)
  const { headers } = response
  const length = headers.get('Content-Length')
  const { etag, date, place } = versionOf(response)
  const tag = strongTag(response)
  download.total = length !== null && isPlain(headers) ? Number(length) : null
  download.version = tag === null ? null : { tag, place }
  download.validators = { ...(etag !== null && { ETag: etag }), ...(date !== null && { 'Last-Modified': date }) }
}

function restart(download: Download): void {
  Object.assign(download, { ...startDownload(), hasAnswered: download.hasAnswered })
}

function wrongSize(who: string, url: string, given: number | string, size: number): WebFileError {
  return new WebFileError(`${who}: ${url} ${sizeProblem(given, size)}`, { url })
}

/** An answer without end would fill the memory otherwise. */
function tooLong(who: string, url: string, total: number | null, maxBytes: number): WebFileError {
  const length = total === null ? 'more' : `${total} bytes`
  return new WebFileError(`${who}: ${url} gives ${length}, and maxBytes allows ${maxBytes}`, { url })
}

export function joined({ parts, bytes }: Download): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(bytes)
  let at = 0
  for (const part of parts) {
    file.set(part, at)
    at += part.length
  }
  return file
}
