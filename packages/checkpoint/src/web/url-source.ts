import type { ByteSource } from '../byte-source.js'

export interface UrlSourceOptions {
  readonly signal?: AbortSignal
}

/**
 * A file behind an address, read by byte ranges: `openSafetensors(await urlSource(url))` fetches the header
 * now and each tensor when it is asked for.
 *
 * @throws Error where the server refuses, does not answer ranges, or the file changes between two of them
 *
 * RFC 9110, section 14.
 */
export async function urlSource(url: string, { signal }: UrlSourceOptions = {}): Promise<ByteSource> {
  let size: number | null = null
  let version: string | null = null
  const ask = async (start: number, end: number, tag: string | null) => {
    const headers: Record<string, string> = { Range: `bytes=${start}-${end - 1}` }
    if (tag !== null) headers['If-Range'] = tag
    // Browsers keep answers in part, too, and would join bytes of an earlier version of the file to those of this one.
    const response = await fetch(url, { headers, cache: 'no-store', ...(signal === undefined ? {} : { signal }) })
    if (!response.ok) throw new Error(`urlSource: ${url} gave ${response.status} ${response.statusText}`)
    if (response.status !== 206) {
      await response.body?.cancel()
      const why = tag === null ? 'does not answer byte ranges; fetchFile loads the whole' : 'has changed meanwhile'
      throw new Error(`urlSource: ${url} ${why}`)
    }
    if (size === null) return response
    const [asked, given] = [`bytes ${start}-${end - 1}/${size}`, response.headers.get('Content-Range')]
    if (given !== asked || versionOf(response) !== version) {
      await response.body?.cancel()
      const why =
        given === asked ? 'has changed meanwhile' : `was asked for ${asked} and gave others (Content-Range: ${given})`
      throw new Error(`urlSource: ${url} ${why}`)
    }
    return response
  }
  const first = await ask(0, 1, null)
  await first.body?.cancel()
  const told = Number(/\/(\d+)$/.exec(first.headers.get('Content-Range') ?? '')?.[1] ?? Number.NaN)
  if (!Number.isSafeInteger(told)) throw new Error(`urlSource: ${url} does not tell its size in Content-Range`)
  size = told
  version = versionOf(first)
  const etag = first.headers.get('ETag')
  const tag = etag === null || etag.startsWith('W/') ? null : etag
  return {
    size: told,
    name: url,
    async read(start, end) {
      if (start === end) return new Uint8Array()
      return new Uint8Array(await (await ask(start, end, tag)).arrayBuffer())
    },
  }
}

/** Weak tags and dates cannot be made a condition of a range, but they tell of most changes. */
function versionOf({ headers }: Response): string | null {
  return headers.get('ETag') ?? headers.get('Last-Modified')
}
