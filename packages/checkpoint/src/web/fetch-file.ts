import { continueDownload, type Download, joined, startDownload } from './download.js'
import { WebFileError } from './error.js'
import { checkSha256, problemOf } from './expected.js'
import { openFileCache } from './file-cache.js'
import { checkRequestOptions, type RequestOptions } from './request-options.js'
import { retrying } from './retry.js'

/** How far a download is. */
export interface FileProgress {
  readonly bytes: number
  /** Of the whole file; null where neither the server nor the `size` option says. */
  readonly total: number | null
  /** True where the bytes came from the cache. */
  readonly isCached: boolean
}

/** The options of `fetchFile`. */
export interface FetchFileOptions extends RequestOptions {
  /** What it throws ends the download. */
  readonly onProgress?: (progress: FileProgress) => void
  /** The SHA-256 that the file must have, in hexadecimal. */
  readonly sha256?: string
  /** The longest file to take, in bytes; 2^32 by default, about as many as one array can hold. */
  readonly maxBytes?: number
  /** Name of a cache of Cache Storage where the file is kept, `dit-files` by default; null keeps nothing. */
  readonly cache?: string | null
  /**
   * Asks the server whether a kept file has changed, by its ETag or date, and loads it anew if so. By default a kept file is
   * used without contacting the server: for addresses that name a version.
   */
  readonly revalidate?: boolean
  /**
   * Receives the reason when the cache cannot be used (no permission, no room), or when it held a file of another size or
   * digest than expected. The file comes all the same.
   */
  readonly onCacheError?: (error: unknown) => void
}

/**
 * A whole file, such as the weights of a model: from the cache, or from the network with progress. A download that breaks or stalls
 * goes on where it broke if a strong ETag proves that the file is still the same, and begins anew otherwise. A busy server (429, 503)
 * is asked again when it says, or after 1, 2, 4 seconds and so on.
 *
 * Where there is no Cache Storage (in Node, and in pages that are not served securely) nothing is kept. A file is kept only
 * once it is whole and has the expected size and digest.
 *
 * @throws WebFileError naming the address: refused, not the file (an HTML page, a Git LFS pointer), another size or digest than
 *   expected, longer than `maxBytes`, or the cause of the last break
 * @throws RangeError, TypeError for an option that is out of range
 * @throws the reason of `signal` once it is aborted; whatever `onProgress` throws
 *
 * RFC 9110, sections 10.2.3 (Retry-After), 13 (conditions) and 14 (ranges).
 *
 * @example
 * const weights = await fetchFile('model.safetensors', { onProgress: ({ bytes, total }) => show(bytes / total) })
 */
export async function fetchFile(url: string, options: FetchFileOptions = {}): Promise<Uint8Array> {
  const { onProgress, cache: cacheName = 'dit-files', revalidate = false, onCacheError, sha256 } = options
  const { size, maxBytes = 2 ** 32, accept, retries = 3, stallSeconds = 30, headers, signal } = options
  const expected = { size, sha256 }
  checkRequestOptions('fetchFile', options)
  checkSha256('fetchFile', sha256)
  if (!(maxBytes > 0)) throw new RangeError(`fetchFile: maxBytes must be a number of bytes (got ${maxBytes})`)
  signal?.throwIfAborted()
  const cache = await openFileCache(cacheName, url, onCacheError)
  let kept = await cache.match()
  // The browser's own cache would answer in place of the server, with the same wrong file if there is one.
  let mustAskServer = revalidate || size !== undefined || sha256 !== undefined
  /** Null where nothing is kept, or nothing that can be read and is right: then it is as if nothing were. */
  const takeKept = async (): Promise<Uint8Array | null> => {
    const bytes = kept && (await cache.read(kept))
    kept = undefined
    if (bytes === undefined) return null
    const problem = await problemOf(bytes, expected)
    signal?.throwIfAborted()
    if (problem !== null) {
      mustAskServer = true
      await cache.drop(new WebFileError(`fetchFile: the kept file of ${url} ${problem}; it is fetched anew`, { url }))
      return null
    }
    onProgress?.({ bytes: bytes.length, total: bytes.length, isCached: true })
    return bytes
  }
  if (!revalidate) {
    const bytes = await takeKept()
    if (bytes !== null) return bytes
  }
  const onPart = ({ bytes, total }: Download) => onProgress?.({ bytes, total: total ?? size ?? null, isCached: false })
  const download = startDownload()
  const attempt = () => {
    const caching: RequestCache = mustAskServer ? 'no-store' : 'default'
    const question = { who: 'fetchFile', url, cache: caching, stallSeconds, signal }
    return continueDownload(download, kept, { question, size, maxBytes, accept, headers, onPart })
  }
  while (await retrying(attempt, { retries, signal })) {
    const bytes = await takeKept()
    if (bytes !== null) return bytes
  }
  const file = joined(download)
  const problem = await problemOf(file, expected)
  signal?.throwIfAborted()
  if (problem !== null) throw new WebFileError(`fetchFile: ${url} ${problem}`, { url })
  await cache.put(file, download.validators)
  signal?.throwIfAborted()
  return file
}
