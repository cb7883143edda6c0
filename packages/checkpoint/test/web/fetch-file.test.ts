import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test, vi } from 'vitest'
import { fetchFile } from '../../src/web/index.js'
import { LFS_POINTER, type ServedFile, serveFile } from './serve-file.js'
import { stubCache } from './stub-cache.js'

const file = Uint8Array.from({ length: 200_001 }, (_, i) => i % 251)
/** `toEqual` looks at every byte by itself, which takes long. */
const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

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
  await expect(fetchFile(server.url, { retries: 1 })).rejects.toThrow(/^fetchFile: http.* broke off \(.+\)$/)
  expect(server.ranges).toHaveLength(2)
})

test('a second call comes from the cache', async () => {
  server = await serveFile(file)
  stubCache()
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

// Sizes and digests.

test('a file of the expected size and digest comes, and the digest may be written in capitals', async () => {
  server = await serveFile(file)
  const options = { size: file.length, sha256: sha256(file).toUpperCase() }
  expect(isSame(await fetchFile(server.url, options), file)).toBe(true)
})

test('a file of another size is refused by its announced length before it comes, and not kept', async () => {
  const kept = stubCache()
  server = await serveFile(file)
  const onProgress = vi.fn<() => void>()
  await expect(fetchFile(server.url, { size: 5, onProgress })).rejects.toThrow(
    /^fetchFile: http.*\/weights has 200001 bytes, not the expected 5$/,
  )
  expect(onProgress).not.toHaveBeenCalled()
  expect(server.statuses).toEqual([200])
  expect(kept.size).toBe(0)
})

test('where no length is announced the size is that of the bytes, and too many end the download', async () => {
  server = await serveFile(gzipSync(file), { headers: { 'Content-Encoding': 'gzip' } })
  await expect(fetchFile(server.url, { size: 300_000 })).rejects.toThrow(/has 200001 bytes, not the expected 300000$/)
  await expect(fetchFile(server.url, { size: 1000 })).rejects.toThrow(
    /has at least \d{4,6} bytes, not the expected 1000$/,
  )
  const totals: (number | null)[] = []
  await fetchFile(server.url, { size: file.length, onProgress: ({ total }) => totals.push(total) })
  expect(new Set(totals)).toEqual(new Set([file.length]))
})

test('a file of another digest is refused with both, and not kept', async () => {
  const kept = stubCache()
  server = await serveFile(file)
  const expected = sha256(file.slice(1))
  await expect(fetchFile(server.url, { sha256: expected })).rejects.toThrow(
    `fetchFile: ${server.url} has SHA-256 ${sha256(file)}, not the expected ${expected}`,
  )
  expect(server.statuses).toEqual([200])
  expect(kept.size).toBe(0)
})

test('a kept file of another size or digest is dropped, reported and fetched anew', async () => {
  const kept = stubCache()
  server = await serveFile(file)
  const expectations = [
    [{ size: file.length }, /has 3 bytes, not the expected 200001; it is fetched anew$/],
    [{ sha256: sha256(file) }, /has SHA-256 [\da-f]{64}, not the expected [\da-f]{64}; it is fetched anew$/],
  ] as const
  for (const [expected, problem] of expectations) {
    for (const revalidate of [false, true]) {
      kept.set(server.url, new Response(Uint8Array.of(1, 2, 3), { headers: { ETag: '"1"' } }))
      const told: unknown[] = []
      const options = { ...expected, revalidate, onCacheError: (error: unknown) => told.push(error) }
      expect(isSame(await fetchFile(server.url, options), file)).toBe(true)
      expect(told.map((error) => (error as Error).message)).toEqual([
        expect.stringMatching(/^fetchFile: the kept file of http/),
      ])
      expect((told[0] as Error).message).toMatch(problem)
      expect(isSame(new Uint8Array(await kept.get(server.url)!.clone().arrayBuffer()), file)).toBe(true)
    }
  }
  expect(server.statuses).toEqual([200, 304, 200, 200, 304, 200])
})

test('a kept file that is wrong stays dropped when the server has a wrong one, too', async () => {
  const kept = stubCache()
  server = await serveFile(file)
  kept.set(server.url, new Response(Uint8Array.of(1, 2, 3)))
  await expect(fetchFile(server.url, { size: 4 })).rejects.toThrow(/has 200001 bytes, not the expected 4$/)
  expect(kept.size).toBe(0)
})

test('size and sha256 must be a size and a digest', async () => {
  await expect(fetchFile('x', { size: 1.5 })).rejects.toThrow('fetchFile: size must be a number of bytes (got 1.5)')
  await expect(fetchFile('x', { sha256: 'abc' })).rejects.toThrow(
    'fetchFile: sha256 must be 64 hexadecimal digits (got "abc")',
  )
})

test.each([
  ['has no crypto.subtle, as in a page that is not served securely', {}],
  ['has one that does not take so much', { subtle: { digest: () => Promise.reject(new Error('too large')) } }],
])('a digest is computed and compared where the engine %s', async (_, crypto) => {
  server = await serveFile(file)
  vi.stubGlobal('crypto', crypto)
  expect(await fetchFile(server.url, { sha256: sha256(file) })).toEqual(file)
  const other = sha256(file.slice(1))
  await expect(fetchFile(server.url, { sha256: other })).rejects.toThrow(
    `fetchFile: ${server.url} has SHA-256 ${sha256(file)}, not the expected ${other}`,
  )
})

// Other things than the file.

test('a page in place of the file is refused, whatever its status says, and not kept', async () => {
  const kept = stubCache()
  const body = '<!doctype html><title>Sign in</title>'
  server = await serveFile(Buffer.from(body), { headers: { 'Content-Type': 'text/html; charset=utf-8' } })
  await expect(fetchFile(server.url)).rejects.toThrow(
    /gave text\/html, a page and not the file \(a login, a viewer, or an app that answers every address with its index.html\?\)$/,
  )
  expect(server.statuses).toEqual([200])
  expect(kept.size).toBe(0)
})

test('accept says which content types are taken, as a list or as a predicate', async () => {
  server = await serveFile(file, { headers: { 'Content-Type': 'Text/HTML; charset=utf-8' } })
  expect(isSame(await fetchFile(server.url, { accept: ['text/html'] }), file)).toBe(true)
  expect(isSame(await fetchFile(server.url, { accept: (type) => type === 'text/html' }), file)).toBe(true)
  await server.close()
  server = await serveFile(file, { headers: { 'Content-Type': 'text/plain' } })
  await expect(fetchFile(server.url, { accept: ['application/octet-stream'] })).rejects.toThrow(
    /gave text\/plain, which accept does not permit$/,
  )
  await server.close()
  server = await serveFile(file)
  await expect(fetchFile(server.url, { accept: (type) => type !== '' })).rejects.toThrow(
    /gave an answer without a content type, which accept does not permit$/,
  )
})

test('a Git LFS pointer in place of the file is refused by name, also where its size would tell', async () => {
  const kept = stubCache()
  server = await serveFile(Buffer.from(LFS_POINTER))
  for (const expected of [{}, { size: 2_700_000_000 }]) {
    await expect(fetchFile(server.url, expected)).rejects.toThrow(
      /is a Git LFS pointer and not the file itself \(does the server resolve Git LFS\?\)$/,
    )
  }
  expect(kept.size).toBe(0)
})
