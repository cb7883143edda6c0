/** Headers that name the version of a file. */
export type Validators = { readonly [Name in 'ETag' | 'Last-Modified']?: string }

/** The place of one file in a cache of Cache Storage. */
export interface FileCache {
  /** What is kept. */
  match(): Promise<Response | undefined>
  /** Its bytes, or undefined where they cannot be read any more. */
  read(kept: Response): Promise<Uint8Array<ArrayBuffer> | undefined>
  put(file: Uint8Array<ArrayBuffer>, validators: Validators): Promise<void>
  /** Removes what is kept, which is wrong in the way that `why` says. */
  drop(why: Error): Promise<void>
}

/**
 * The cache saves time and is no part of the result: what it refuses goes to `onError` and is otherwise passed over. It keeps nothing
 * where `name` is null and where there is no Cache Storage: in Node, and in pages that are not served securely.
 */
export async function openFileCache(
  name: string | null,
  url: string,
  onError: ((error: unknown) => void) | undefined,
): Promise<FileCache> {
  const orUndefined = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      onError?.(error)
      return undefined
    }
  }
  const cache = name === null ? undefined : await orUndefined(() => openCache(name))
  return {
    match: () => orUndefined(async () => cache?.match(url)),
    read: (kept) => orUndefined(async () => new Uint8Array(await kept.arrayBuffer())),
    async put(file, validators) {
      const headers = { 'Content-Length': String(file.length), ...validators }
      await orUndefined(async () => cache?.put(url, new Response(file, { headers })))
    },
    async drop(why) {
      onError?.(why)
      await orUndefined(async () => cache?.delete(url))
    },
  }
}

/** In some pages the very name `caches` throws, such as in frames of a sandbox. */
async function openCache(name: string): Promise<Cache | undefined> {
  const { caches } = globalThis as { caches?: CacheStorage }
  return caches?.open(name)
}
