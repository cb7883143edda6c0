/** How far a download is. */
export interface FileProgress {
  readonly bytes: number
  /** Of the whole file; null where the server does not tell. */
  readonly total: number | null
  /** True where the bytes came from the cache. */
  readonly isCached: boolean
}

export interface FetchFileOptions {
  readonly onProgress?: (progress: FileProgress) => void
  /** Name of a cache of Cache Storage where the file is kept, `dit-files` by default; null keeps nothing. */
  readonly cache?: string | null
  /**
   * Asks the server whether a file that is kept has changed, by its ETag or date, and loads it anew where it has. By default
   * what is kept is taken without a word to the server: for addresses that name a version.
   */
  readonly revalidate?: boolean
  /** Told why the cache cannot be used: no permission, no room. The file comes all the same, and is not kept. */
  readonly onCacheError?: (error: unknown) => void
  /** How often a download that breaks is taken up again where it broke, 3 by default. */
  readonly retries?: number
  readonly signal?: AbortSignal
}

/**
 * A whole file, such as the weights of a model: from the cache, or from the network with progress. A download that breaks off
 * is taken up where it broke, where the server has byte ranges, and begins anew where it has not or the file has changed.
 *
 * Where there is no Cache Storage (in Node, and in pages that are not served securely) nothing is kept.
 *
 * @throws Error naming the address and the status where the server refuses, or the cause of the last break
 * @throws RangeError when `retries` is not an integer of 0 or more
 *
 * RFC 9110, sections 13 (conditions) and 14 (ranges).
 *
 * @example
 * const weights = await fetchFile('model.safetensors', { onProgress: ({ bytes, total }) => show(bytes / total) })
 */
export async function fetchFile(
  url: string,
  {
    onProgress,
    cache: cacheName = 'dit-files',
    revalidate = false,
    onCacheError,
    retries = 3,
    signal,
  }: FetchFileOptions = {},
): Promise<Uint8Array> {
  if (!Number.isInteger(retries) || retries < 0) {
    throw new RangeError(`fetchFile: retries must be an integer of 0 or more (got ${retries})`)
  }
  // The cache saves time and is no part of the result: what it refuses is told and otherwise passed over.
  const orUncached = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      onCacheError?.(error)
      return undefined
    }
  }
  const cache = cacheName === null ? undefined : await orUncached(() => openCache(cacheName))
  let kept = await orUncached(async () => cache?.match(url))
  /** Null where there is nothing, or nothing that can be read: then it is as if there were nothing. */
  const takeKept = async (): Promise<Uint8Array | null> => {
    const bytes = await orUncached(async () => kept && new Uint8Array(await kept.arrayBuffer()))
    kept = undefined
    if (bytes === undefined) return null
    onProgress?.({ bytes: bytes.length, total: bytes.length, isCached: true })
    return bytes
  }
  if (!revalidate) {
    const bytes = await takeKept()
    if (bytes !== null) return bytes
  }
  const download: Download = { parts: [], bytes: 0, total: null, tag: null, validators: {} }
  for (let attempt = 0; ; attempt++) {
    try {
      const isUnchanged = await continueDownload(url, download, kept, signal, onProgress)
      if (!isUnchanged) break
    } catch (error) {
      if (error instanceof RefusedError || signal?.aborted === true || attempt === retries) throw error
      continue
    }
    const bytes = await takeKept()
    if (bytes !== null) return bytes
  }
  const file = joined(download)
  const headers = { 'Content-Length': String(file.length), ...download.validators }
  await orUncached(async () => cache?.put(url, new Response(file, { headers })))
  return file
}

/** In some pages the very name `caches` throws, such as in frames of a sandbox. */
async function openCache(name: string): Promise<Cache | undefined> {
  const { caches } = globalThis as { caches?: CacheStorage }
  return caches?.open(name)
}

/** Headers that name the version of a file. */
type Validators = { readonly [Name in 'ETag' | 'Last-Modified']?: string }

interface Download {
  parts: Uint8Array[]
  bytes: number
  total: number | null
  /** Names the version of the file, so that parts of two are never joined. */
  tag: string | null
  validators: Validators
}

class RefusedError extends Error {}

/** @returns whether the server says that the file is still the one that is kept */
async function continueDownload(
  url: string,
  download: Download,
  kept: Response | undefined,
  signal: AbortSignal | undefined,
  onProgress: FetchFileOptions['onProgress'],
): Promise<boolean> {
  // Without a tag there is no telling whether what follows belongs to what is here.
  if (download.tag === null) restart(download)
  const headers = download.bytes > 0 ? rangeFrom(download) : conditions(kept)
  const response = await fetch(url, { headers, ...(signal === undefined ? {} : { signal }) })
  const { status } = response
  if (status === 304 && kept !== undefined) return true
  if (status === 416 && download.bytes > 0) {
    restart(download)
    throw new Error(`fetchFile: ${url} has no bytes where the download broke off`)
  }
  if (status === 206) checkRange(url, response, download)
  else if (status === 200) beginDownload(download, response)
  else throw new RefusedError(`fetchFile: ${url} gave ${status} ${response.statusText}`)
  const reader = response.body!.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    download.parts.push(value)
    download.bytes += value.length
    // More than there should be: servers of other origins hide that an answer is compressed.
    if (download.total !== null && download.bytes > download.total) Object.assign(download, { total: null, tag: null })
    onProgress?.({ bytes: download.bytes, total: download.total, isCached: false })
  }
  if (download.total !== null && download.bytes !== download.total) {
    throw new Error(`fetchFile: ${url} ended after ${download.bytes} of ${download.total} bytes`)
  }
  return false
}

function rangeFrom({ bytes, tag }: Download): Record<string, string> {
  return { Range: `bytes=${bytes}-`, 'If-Range': tag! }
}

function conditions(kept: Response | undefined): Record<string, string> {
  const tag = kept?.headers.get('ETag')
  if (typeof tag === 'string') return { 'If-None-Match': tag }
  const date = kept?.headers.get('Last-Modified')
  return typeof date === 'string' ? { 'If-Modified-Since': date } : {}
}

/** Makes sure that an answer in part goes on where the download is, as far as the server lets pages see. */
function checkRange(url: string, { headers }: Response, { bytes }: Download): void {
  const range = headers.get('Content-Range')
  const start = range === null ? bytes : Number(/^bytes (\d+)-/.exec(range)?.[1])
  if (bytes > 0 && start === bytes) return
  const asked = bytes === 0 ? 'the whole file' : `the bytes from ${bytes}`
  throw new RefusedError(`fetchFile: ${url} was asked for ${asked} and gave others (Content-Range: ${range})`)
}

function beginDownload(download: Download, { headers }: Response): void {
  restart(download)
  // Of a compressed answer the length is that of the compressed bytes, and so are ranges.
  const isPlain = (headers.get('Content-Encoding') ?? 'identity') === 'identity'
  const length = headers.get('Content-Length')
  download.total = length !== null && isPlain ? Number(length) : null
  const tag = headers.get('ETag')
  download.tag = tag !== null && isPlain && !tag.startsWith('W/') ? tag : null
  const date = headers.get('Last-Modified')
  download.validators = { ...(tag !== null && { ETag: tag }), ...(date !== null && { 'Last-Modified': date }) }
}

function restart(download: Download): void {
  Object.assign(download, { parts: [], bytes: 0, total: null, tag: null, validators: {} })
}

function joined({ parts, bytes }: Download): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(bytes)
  let at = 0
  for (const part of parts) {
    file.set(part, at)
    at += part.length
  }
  return file
}
