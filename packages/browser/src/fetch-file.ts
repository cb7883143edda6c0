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
 * @example
 * const weights = await fetchFile('model.safetensors', { onProgress: ({ bytes, total }) => show(bytes / total) })
 */
export async function fetchFile(
  url: string,
  { onProgress, cache: cacheName = 'dit-files', retries = 3, signal }: FetchFileOptions = {},
): Promise<Uint8Array> {
  if (!Number.isInteger(retries) || retries < 0) {
    throw new RangeError(`fetchFile: retries must be an integer of 0 or more (got ${retries})`)
  }
  const { caches } = globalThis as { caches?: CacheStorage }
  const cache = cacheName === null || caches === undefined ? null : await caches.open(cacheName)
  const kept = await cache?.match(url)
  if (kept !== undefined) {
    const bytes = new Uint8Array(await kept.arrayBuffer())
    onProgress?.({ bytes: bytes.length, total: bytes.length, isCached: true })
    return bytes
  }
  const download: Download = { parts: [], bytes: 0, total: null, tag: null }
  for (let attempt = 0; ; attempt++) {
    try {
      await continueDownload(url, download, signal, onProgress)
      break
    } catch (error) {
      if (error instanceof RefusedError || signal?.aborted === true || attempt === retries) throw error
    }
  }
  const file = joined(download)
  await cache?.put(url, new Response(file, { headers: { 'Content-Length': String(file.length) } }))
  return file
}

interface Download {
  parts: Uint8Array[]
  bytes: number
  total: number | null
  /** Names the version of the file, so that parts of two are never joined. */
  tag: string | null
}

class RefusedError extends Error {}

async function continueDownload(
  url: string,
  download: Download,
  signal: AbortSignal | undefined,
  onProgress: FetchFileOptions['onProgress'],
): Promise<void> {
  // Without a tag there is no telling whether what follows belongs to what is here.
  if (download.tag === null) restart(download)
  const headers: Record<string, string> =
    download.bytes > 0 ? { Range: `bytes=${download.bytes}-`, 'If-Range': download.tag! } : {}
  const response = await fetch(url, { headers, ...(signal === undefined ? {} : { signal }) })
  if (!response.ok) throw new RefusedError(`fetchFile: ${url} gave ${response.status} ${response.statusText}`)
  if (response.status !== 206) {
    restart(download)
    const length = response.headers.get('Content-Length')
    // Of a compressed answer the length is that of the compressed bytes.
    const isPlain = (response.headers.get('Content-Encoding') ?? 'identity') === 'identity'
    download.total = length !== null && isPlain ? Number(length) : null
    const tag = response.headers.get('ETag')
    download.tag = tag === null || tag.startsWith('W/') ? null : tag
  }
  const reader = response.body!.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    download.parts.push(value)
    download.bytes += value.length
    onProgress?.({ bytes: download.bytes, total: download.total, isCached: false })
  }
  if (download.total !== null && download.bytes !== download.total) {
    throw new Error(`fetchFile: ${url} ended after ${download.bytes} of ${download.total} bytes`)
  }
}

function restart(download: Download): void {
  Object.assign(download, { parts: [], bytes: 0, total: null, tag: null })
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
