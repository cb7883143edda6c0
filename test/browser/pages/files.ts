import { originRunStore } from '@dit/browser'
import { openSafetensors } from '@dit/checkpoint'
import { type FetchFileOptions, fetchFile, type FileProgress, urlSource } from '@dit/checkpoint/web'

export type LoadOptions = Pick<
  FetchFileOptions,
  'cache' | 'retries' | 'revalidate' | 'size' | 'sha256' | 'stallSeconds'
> & {
  /** Gives up once so many bytes are here. */
  readonly abortAfter?: number
}

/** How a download ended. */
export interface Loaded {
  /** What `digest` makes of the bytes, or null with the error. */
  readonly file: string | null
  readonly error: string | null
  readonly progress: readonly FileProgress[]
  /** Why the cache could not be used. */
  readonly cacheErrors: readonly string[]
  /** Addresses that are kept when all is over. */
  readonly kept: readonly string[]
}

const nameAndMessage = (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`

async function load(url: string, { abortAfter = Infinity, ...options }: LoadOptions = {}): Promise<Loaded> {
  const progress: FileProgress[] = []
  const cacheErrors: string[] = []
  const controller = new AbortController()
  const loading = fetchFile(url, {
    ...options,
    signal: controller.signal,
    onProgress(now) {
      progress.push(now)
      if (now.bytes >= abortAfter) controller.abort()
    },
    onCacheError: (error) => cacheErrors.push(nameAndMessage(error)),
  })
  const [file, error] = await loading.then(
    async (bytes) => [await digest(bytes), null] as const,
    (failure: unknown) => [null, nameAndMessage(failure)] as const,
  )
  return { file, error, progress, cacheErrors, kept: await keptAddresses() }
}

/** Hexadecimal SHA-256, or in pages that are not secure and have none the bytes themselves. */
async function digest(bytes: Uint8Array): Promise<string> {
  const { subtle } = crypto as { subtle?: SubtleCrypto }
  const hash = (await subtle?.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)) ?? bytes
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function keptAddresses(): Promise<string[]> {
  if (!('caches' in globalThis)) return []
  const cache = await caches.open('dit-files')
  return (await cache.keys()).map(({ url }) => url)
}

/** One tensor of a file, by byte ranges. */
async function loadTensor(url: string, name: string): Promise<number[]> {
  const file = await openSafetensors(await urlSource(url))
  return [...(await file.float32(name))]
}

/** Why there is no store for runs here. */
async function storeError(): Promise<string> {
  return originRunStore('any').then(
    () => 'none',
    (error: unknown) => nameAndMessage(error),
  )
}

Object.assign(globalThis, { load, loadTensor, storeError })
