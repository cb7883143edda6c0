import { bytesSource, type FileTree } from '@dit/checkpoint'
import { fetchFile, type FetchFileOptions, hubFileUrl, urlSource, WebFileError } from '@dit/checkpoint/web'

/** How files behind addresses are fetched. */
export interface FetchOptions extends Omit<
  FetchFileOptions,
  'size' | 'sha256' | 'accept' | 'onProgress' | 'revalidate'
> {
  /** Ask the server whether a kept file has changed. By default always, but for a commit of `hf:`, which cannot change. */
  readonly revalidate?: boolean
  /**
   * Reads files of weights by byte ranges, each when it is asked for, in place of the whole file: to describe a model without downloading
   * it. The server must answer ranges; nothing is kept. Default: false.
   */
  readonly ranges?: boolean
  /** Where models of `hf:` are: the address of a hub, or of its mirror. */
  readonly host?: string
  /** How far a download is, and of which file. */
  readonly onProgress?: (progress: {
    readonly url: string
    readonly bytes: number
    readonly total: number | null
  }) => void
}

/** The index of the shards of a model of thousands of layers has some MB. */
const MAX_JSON = 2 ** 26

/**
 * A folder behind an address: each file is fetched once and whole, and kept in the page's cache.
 *
 * @param required the file that must be there: that it is not is an error, which says how the server answered
 */
export function urlTree(
  name: string,
  address: (path: string) => string,
  options: FetchOptions = {},
  required: string | null = null,
): FileTree {
  const { host: _host, ranges = false, onProgress, ...fetching } = options
  const load = async (path: string) => {
    const url = address(path)
    const progress = onProgress === undefined ? {} : { onProgress: report(url, onProgress) }
    const limits = path.endsWith('.json') ? { maxBytes: MAX_JSON } : {}
    try {
      if (ranges && !path.endsWith('.json')) {
        const { headers = {}, retries = 3, stallSeconds = 30, signal } = fetching
        return await urlSource(url, { headers, retries, stallSeconds, ...(signal === undefined ? {} : { signal }) })
      }
      return bytesSource(await fetchFile(url, { ...limits, ...fetching, ...progress }), url)
    } catch (error) {
      if (path !== required && error instanceof WebFileError && isMissing(error)) return null
      throw error
    }
  }
  // Readers open a file again: to find it, to see what it is, to read it.
  const loaded = new Map<string, ReturnType<typeof load>>()
  return {
    name,
    place: address,
    isByRange: ranges,
    async open(path) {
      if (!loaded.has(path)) loaded.set(path, load(path))
      return loaded.get(path)!
    },
  }
}

function report(url: string, onProgress: NonNullable<FetchOptions['onProgress']>): FetchFileOptions['onProgress'] {
  return ({ bytes, total }) => onProgress({ url, bytes, total })
}

/** Not there; or a page in its place, as servers of apps answer for every address that they do not know. */
function isMissing({ status, isPage }: WebFileError): boolean {
  return status === 404 || status === 410 || isPage
}

/** Ends of addresses that name one file of weights. */
const FILE = /\.(safetensors|pt|pth|ckpt|bin|json)$/i

/**
 * The folder and file that an address means: `hf:owner/name[@revision]`, an address of a file of weights, or that of a folder.
 *
 * @throws RangeError for a reference or an address that is none
 */
export function locateAddress(source: string, options: FetchOptions): { tree: FileTree; path: string | null } {
  if (source.startsWith('hf:')) {
    const host = options.host === undefined ? {} : { host: options.host }
    const root = hubFileUrl(source, 'config.json', host).replace(/config\.json$/, '') // throws for a reference that is none
    // Messages name folders, too, which are no files of the hub.
    const address = (path: string) => (/^$|\/$/.test(path) ? root + path : hubFileUrl(source, path, host))
    // A commit cannot change; a branch can, like any other address.
    const isPinned = /@[0-9a-f]{40}$/.test(source)
    return { tree: urlTree(source, address, { revalidate: !isPinned, ...options }), path: null }
  }
  // In a page an address may be relative to it.
  const base = (globalThis as { location?: { href: string } }).location?.href
  const url = new URL(source, base)
  // What a page holds itself is one file, without a folder around it.
  if (/^(blob|data):$/.test(url.protocol)) {
    const name = 'the weights'
    return { tree: urlTree(name, () => source, options, name), path: name }
  }
  const last = url.pathname.slice(url.pathname.lastIndexOf('/') + 1)
  const isFile = FILE.test(last)
  const folder = new URL(isFile ? '.' : url.pathname.endsWith('/') ? url.href : `${url.pathname}/`, url)
  const address = (path: string) => {
    const file = new URL(path.split('/').map(encodeURIComponent).join('/'), folder)
    file.search = url.search
    return file.href
  }
  const path = isFile ? decodeURIComponent(last) : null
  if (path?.includes('/') === true) throw new RangeError('its last part must be the name of a file')
  return { tree: urlTree(source, address, { revalidate: true, ...options }, path), path }
}
