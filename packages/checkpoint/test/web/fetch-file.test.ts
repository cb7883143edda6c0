import { gzipSync } from 'node:zlib'
import { openSafetensors, writeSafetensors } from '../../src/index.js'
import { afterEach, expect, test, vi } from 'vitest'
import { fetchFile, urlSource } from '../../src/web/index.js'
import { type ServedFile, serveFile } from './serve-file.js'

const file = Uint8Array.from({ length: 200_001 }, (_, i) => i % 251)
/** `toEqual` looks at every byte by itself, which takes long. */
const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0

let server: ServedFile
afterEach(async () => {
  vi.unstubAllGlobals()
  await server?.close()
})

test('a file comes whole, with progress up to its size', async () => {
  server = await serveFile(file)
  const seen: number[] = []
  const got = await fetchFile(server.url, { onProgress: ({ bytes, total }) => seen.push(bytes / total!) })
  expect(isSame(got, file)).toBe(true)
  expect(seen.at(-1)).toBe(1)
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))
})

test('a download that breaks goes on where it broke', async () => {
  server = await serveFile(file, { breaks: 2 })
  expect(isSame(await fetchFile(server.url), file)).toBe(true)
  expect(server.ranges).toHaveLength(3)
  expect(server.ranges[0]).toBe(null)
  expect(server.ranges[1]).toMatch(/^bytes=[1-9]\d*-$/)
})

test('a server without ranges is asked for the whole again', async () => {
  server = await serveFile(file, { breaks: 1, hasRanges: false })
  expect(isSame(await fetchFile(server.url), file)).toBe(true)
})

test('a download that breaks too often fails', async () => {
  server = await serveFile(file, { breaks: 9 })
  await expect(fetchFile(server.url, { retries: 1 })).rejects.toThrow(/terminated|ended after/)
  expect(server.ranges).toHaveLength(2)
})

test('a second call comes from the cache', async () => {
  server = await serveFile(file)
  const kept = new Map<string, Response>()
  const cache = {
    match: async (url: string) => kept.get(url)?.clone(),
    put: async (url: string, response: Response) => void kept.set(url, response),
  }
  vi.stubGlobal('caches', { open: async () => cache })
  await fetchFile(server.url)
  const progress: boolean[] = []
  const again = await fetchFile(server.url, { onProgress: ({ isCached }) => progress.push(isCached) })
  expect(isSame(again, file)).toBe(true)
  expect(progress).toEqual([true])
  expect(server.ranges).toHaveLength(1)
  await fetchFile(server.url, { cache: null })
  expect(server.ranges).toHaveLength(2)
})

test('a cache that cannot be opened, read or filled is told of, and the file comes all the same', async () => {
  const file = Uint8Array.of(1, 2, 3)
  server = await serveFile(file)
  const no = () => Promise.reject(new Error('not here'))
  for (const caches of [
    { open: no },
    { open: async () => ({ match: no, put: no }) },
    { open: async () => ({ match: async () => undefined, put: no }) },
  ]) {
    vi.stubGlobal('caches', caches)
    const told: unknown[] = []
    expect(isSame(await fetchFile(server.url, { onCacheError: (error) => told.push(error) }), file)).toBe(true)
    expect(new Set(told.map(String))).toEqual(new Set(['Error: not here']))
    expect(isSame(await fetchFile(server.url), file)).toBe(true)
  }
})

test('what is kept and cannot be read any more is loaded anew, and told of', async () => {
  server = await serveFile(file)
  const gone = () => Object.assign(new Response('', { headers: { ETag: '"1"' } }), { arrayBuffer: no })
  const no = () => Promise.reject(new Error('evicted'))
  const put = vi.fn<(url: string, response: Response) => Promise<void>>(async () => {})
  vi.stubGlobal('caches', { open: async () => ({ match: async () => gone(), put }) })
  for (const revalidate of [false, true]) {
    const told: unknown[] = []
    expect(isSame(await fetchFile(server.url, { revalidate, onCacheError: (error) => told.push(error) }), file)).toBe(
      true,
    )
    expect(told.map(String)).toEqual(['Error: evicted'])
  }
  expect(server.statuses).toEqual([200, 304, 200])
  expect(put).toHaveBeenCalledTimes(2)
})

test('where even the name of the cache throws, as in a frame of a sandbox, the file comes all the same', async () => {
  server = await serveFile(file)
  Object.defineProperty(globalThis, 'caches', {
    configurable: true,
    get() {
      throw new Error('the context is sandboxed')
    },
  })
  try {
    const told: unknown[] = []
    expect(isSame(await fetchFile(server.url, { onCacheError: (error) => told.push(error) }), file)).toBe(true)
    expect(told.map(String)).toEqual(['Error: the context is sandboxed'])
  } finally {
    Reflect.deleteProperty(globalThis, 'caches')
  }
})

test('a compressed download that breaks begins anew, since ranges count compressed bytes', async () => {
  server = await serveFile(gzipSync(file), { breaks: 1, headers: { 'Content-Encoding': 'gzip' } })
  expect(isSame(await fetchFile(server.url), file)).toBe(true)
  expect(server.ranges).toEqual([null, null])
})

test('a server that gives other bytes than it was asked for is refused', async () => {
  server = await serveFile(file, { breaks: 1, headers: { 'Content-Range': 'bytes 0-9/200001' } })
  await expect(fetchFile(server.url)).rejects.toThrow(
    /was asked for the bytes from \d+ and gave others \(Content-Range: bytes 0-9\/200001\)$/,
  )
  expect(server.ranges).toHaveLength(2)
})

test('what the server refuses is not tried again', async () => {
  server = await serveFile(file)
  const gone = vi.fn<typeof fetch>(async () => new Response('', { status: 404, statusText: 'Not Found' }))
  vi.stubGlobal('fetch', gone)
  await expect(fetchFile('https://example.org/none')).rejects.toThrow(
    'fetchFile: https://example.org/none gave 404 Not Found',
  )
  expect(gone).toHaveBeenCalledTimes(1)
})

test('retries must be a count', async () => {
  await expect(fetchFile('x', { retries: -1 })).rejects.toThrow(
    'fetchFile: retries must be an integer of 0 or more (got -1)',
  )
})

test('tensors of a file are fetched one by one', async () => {
  const data = Float32Array.from({ length: 1000 }, (_, i) => i)
  const arrays = new Map([
    ['first', { dtype: 'F32', shape: [1000], data }],
    ['second', { dtype: 'F32', shape: [2], data: Float32Array.of(7, 8) }],
  ] as const)
  server = await serveFile(writeSafetensors(arrays, {}))
  const opened = await openSafetensors(await urlSource(server.url))
  const asked = server.ranges.length
  expect([...(await opened.float32('second'))]).toEqual([7, 8])
  expect(server.ranges.slice(asked)).toHaveLength(1)
})

test('a file that changes is refused by its date or size, too, and so are other bytes than were asked for', async () => {
  for (const told of [{ tells: 'date' }, { tells: 'nothing' }] as const) {
    server = await serveFile(file, told)
    const source = await urlSource(server.url)
    expect(await source.read(10, 14)).toEqual(file.slice(10, 14))
    server.replace(told.tells === 'date' ? file.toReversed() : file.slice(1))
    await expect(source.read(0, 4)).rejects.toThrow(
      told.tells === 'date'
        ? /urlSource: .* has changed meanwhile/
        : /was asked for bytes 0-3\/200001 and gave others \(Content-Range: bytes 0-3\/200000\)/,
    )
    await server.close()
  }
  server = await serveFile(file, { headers: { ETag: 'W/"1"' } })
  const source = await urlSource(server.url)
  expect(await source.read(10, 14)).toEqual(file.slice(10, 14))
})

test('a file that changes between two ranges is refused', async () => {
  server = await serveFile(file)
  const source = await urlSource(server.url)
  server.replace(file.slice(1))
  await expect(source.read(0, 4)).rejects.toThrow(/urlSource: .* has changed meanwhile/)
})

test('a server without ranges is refused as a source', async () => {
  server = await serveFile(file, { hasRanges: false })
  await expect(urlSource(server.url)).rejects.toThrow(/does not answer byte ranges; fetchFile loads the whole/)
})
