import { afterEach, expect, test, vi } from 'vitest'
import { fetchFile, WebFileError } from '../../src/web/index.js'
import { serveBy, type ServedFile, serveFile, serveSlowly } from './serve-file.js'
import { stubCache } from './stub-cache.js'

const file = Uint8Array.from({ length: 200_001 }, (_, i) => i % 251)
/** `toEqual` looks at every byte by itself, which takes long. */
const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0

const globalFetch = globalThis.fetch

let server: ServedFile
afterEach(async () => {
  vi.unstubAllGlobals()
  await server?.close()
})

// Stalls and aborts.

test('a download that stalls goes on where it stopped', async () => {
  server = await serveFile(file, { stalls: 1 })
  expect(isSame(await fetchFile(server.url, { stallSeconds: 0.1 }), file)).toBe(true)
  expect(server.statuses).toEqual([200, 206])
  expect(server.ranges[1]).toMatch(/^bytes=[1-9]\d*-$/)
})

test('a server that does not answer at all is asked again', async () => {
  server = await serveFile(file, { silences: 1 })
  expect(isSame(await fetchFile(server.url, { stallSeconds: 0.1 }), file)).toBe(true)
  expect(server.ranges).toEqual([null, null])
})

test('a download that stalls too often fails, and says for how long nothing came', async () => {
  server = await serveFile(file, { stalls: true })
  const failed = fetchFile(server.url, { stallSeconds: 0.05, retries: 1 })
  await expect(failed).rejects.toThrow(/^fetchFile: http.* sent nothing for 0.05 s$/)
  await expect(failed).rejects.toBeInstanceOf(WebFileError)
  expect(server.ranges).toHaveLength(2)
})

test('bytes that come slowly are no stall', async () => {
  server = await serveSlowly(['s', 'l', 'o', 'w', 'l', 'y'], 40)
  const got = await fetchFile(server.url, { stallSeconds: 0.15, retries: 0 })
  expect(new TextDecoder().decode(got)).toBe('slowly')
})

test('a page that was itself busy does not take that for a stall of the server', async () => {
  server = await serveSlowly(['b', 'u', 's', 'y'], 20)
  let isFirst = true
  const onProgress = () => {
    if (isFirst) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250)
    isFirst = false
  }
  const got = await fetchFile(server.url, { stallSeconds: 0.12, retries: 0, onProgress })
  expect(new TextDecoder().decode(got)).toBe('busy')
})

test('stallSeconds must be a time that timers can take', async () => {
  for (const stallSeconds of [0, -1, Number.NaN, 1e9]) {
    await expect(fetchFile('x', { stallSeconds })).rejects.toThrow(
      `fetchFile: stallSeconds must be above 0 and at most 2147483, or Infinity (got ${stallSeconds})`,
    )
  }
  server = await serveFile(file)
  expect(isSame(await fetchFile(server.url, { stallSeconds: Infinity }), file)).toBe(true)
})

test('an abort throws its reason at once: before headers, amid the body, and while a busy server is waited for', async () => {
  for (const options of [
    { silences: 1 },
    { stalls: true },
    { refusals: [{ status: 503, headers: { 'Retry-After': 60 } }] },
  ]) {
    server = await serveFile(file, options)
    const controller = new AbortController()
    const reason = new Error('enough')
    const failed = fetchFile(server.url, { signal: controller.signal })
    await vi.waitFor(() => expect(server.ranges).toHaveLength(1))
    setTimeout(() => controller.abort(reason), 20)
    await expect(failed).rejects.toBe(reason)
    expect(server.ranges).toHaveLength(1)
    await server.close()
  }
})

test('a signal that is already aborted asks nobody, not even the cache', async () => {
  const kept = stubCache()
  server = await serveFile(file)
  kept.set(server.url, new Response('kept'))
  const reason = new Error('enough')
  await expect(fetchFile(server.url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(server.ranges).toEqual([])
})

test('an abort with the last bytes keeps nothing', async () => {
  const kept = stubCache()
  server = await serveFile(file)
  const controller = new AbortController()
  const onProgress = ({ bytes }: { bytes: number }) => bytes === file.length && controller.abort(new Error('enough'))
  await expect(fetchFile(server.url, { signal: controller.signal, onProgress })).rejects.toThrow('enough')
  expect(kept.size).toBe(0)
})

test('an onProgress that throws ends the download with that very error', async () => {
  server = await serveFile(file)
  const error = new Error('the page is gone')
  const onProgress = () => {
    throw error
  }
  await expect(fetchFile(server.url, { onProgress })).rejects.toBe(error)
  expect(server.ranges).toEqual([null])
})

// Busy servers and refusals.

test('a busy server is asked again when it says', async () => {
  const wait = (status: number) => ({ status, headers: { 'Retry-After': 0 } })
  server = await serveFile(file, { refusals: [wait(503), wait(503), wait(429)] })
  expect(isSame(await fetchFile(server.url), file)).toBe(true)
  expect(server.statuses).toEqual([503, 503, 429, 200])
})

test('a server that is busy too often, or for too long, is given up with what it said', async () => {
  const refusal = { status: 503, headers: { 'Retry-After': '0' } }
  server = await serveFile(file, { refusals: [refusal, refusal] })
  const failed = fetchFile(server.url, { retries: 1 })
  await expect(failed).rejects.toThrow(/^fetchFile: http.*\/weights gave 503 Service Unavailable$/)
  await expect(failed).rejects.toMatchObject({ name: 'WebFileError', status: 503, url: server.url })
  await server.close()
  server = await serveFile(file, { refusals: [{ status: 429, headers: { 'Retry-After': '3600' } }] })
  await expect(fetchFile(server.url)).rejects.toThrow(
    /gave 429 Too Many Requests and asks to wait 3600 s, longer than the 60 s that fetchFile waits$/,
  )
  expect(server.statuses).toEqual([429])
})

test('a server that breaks amid a download is busy for a while, and then goes on where it broke', async () => {
  server = await serveFile(file, { breaks: 1 })
  // The second request is refused, and no more.
  const { url } = server
  let asked = 0
  vi.stubGlobal('fetch', async (...args: Parameters<typeof globalFetch>) => {
    if (++asked !== 2) return globalFetch(...args)
    return new Response('', { status: 502, headers: { 'Retry-After': '0' } })
  })
  expect(isSame(await fetchFile(url), file)).toBe(true)
  expect(server.statuses).toEqual([200, 206])
})

test('a file that may need permission is refused with that hint, and at once', async () => {
  for (const status of [401, 403]) {
    server = await serveFile(file, { refusals: [{ status }] })
    await expect(fetchFile(server.url)).rejects.toThrow(
      /gave 40[13] \w+: it may be private, need permission, or not exist \(`headers` can carry a token\)$/,
    )
    expect(server.statuses).toEqual([status])
    await server.close()
  }
})

test('where nobody listens the error says so, with the cause', async () => {
  server = await serveFile(file)
  await server.close()
  await expect(fetchFile(server.url)).rejects.toThrow(
    /^fetchFile: http.* cannot be reached \(fetch failed: .*ECONNREFUSED.*\)$/,
  )
})

test('a server that is gone amid a download is waited for', async () => {
  server = await serveFile(file, { stalls: true })
  const waits = vi.spyOn(globalThis, 'setTimeout')
  const controller = new AbortController()
  const onProgress = () => void server.close()
  const failed = fetchFile(server.url, { signal: controller.signal, onProgress })
  await vi.waitFor(() => expect(waits).toHaveBeenCalledWith(expect.anything(), 1000))
  waits.mockRestore()
  controller.abort(new Error('enough'))
  await expect(failed).rejects.toThrow('enough')
})

// Two versions are never joined.

test('a download that breaks while the file changes begins anew', async () => {
  const next = file.toReversed()
  for (const tells of ['tag', 'date', 'nothing'] as const) {
    server = await serveFile(file, { breaks: 1, tells })
    let isReplaced = false
    const onProgress = () => {
      if (!isReplaced) server.replace(next)
      isReplaced = true
    }
    expect(isSame(await fetchFile(server.url, { onProgress }), next)).toBe(true)
    // Only a tag makes a range worth a try.
    expect(server.ranges.map((range) => range !== null)).toEqual([false, tells === 'tag'])
    await server.close()
  }
})

test('a range is not joined unless it proves its version: same strong ETag, same total, and where it lies', async () => {
  const next = file.toReversed()
  const half = file.length >> 1
  const proof = { ETag: '"1"', 'Content-Range': `bytes ${half}-200000/200001` }
  for (const [headers, body] of [
    [{ ...proof, ETag: '"2"' }, next],
    [{ ...proof, ETag: 'W/"1"' }, next],
    [{ 'Content-Range': proof['Content-Range'] }, next],
    [{ ETag: '"1"' }, next],
    [{ ...proof, 'Content-Range': `bytes ${half}-200000/300000` }, next],
    [proof, file],
  ] as const) {
    const ranges: (string | null)[] = []
    server = await serveBy((asked, response) => {
      ranges.push(asked.headers.range ?? null)
      const from = ranges.length === 2 ? half : 0
      response.writeHead(ranges.length === 2 ? 206 : 200, {
        ETag: ranges.length === 3 ? '"3"' : '"1"',
        ...(ranges.length === 2 && { ETag: [], ...headers }),
        'Content-Length': file.length - from,
      })
      if (ranges.length === 1) response.write(file.subarray(0, half), () => setTimeout(() => response.destroy(), 10))
      else response.end((ranges.length === 2 ? body : next).subarray(from))
    })
    const isJoined = body === file
    expect(isSame(await fetchFile(server.url), isJoined ? file : next)).toBe(true)
    expect(ranges).toEqual([null, `bytes=${half}-`, ...(isJoined ? [] : [null])])
    await server.close()
  }
})

test('a range of another place, after a redirect, is not joined even under the same ETag', async () => {
  const [one, other] = [await serveFile(file, { breaks: 1 }), await serveFile(file.toReversed())]
  const targets = [`${one.url}?signature=1`, `${other.url}?signature=2`]
  server = await serveBy((_, response) => {
    response.writeHead(302, { Location: targets.shift() ?? `${other.url}?signature=3` }).end()
  })
  expect(isSame(await fetchFile(server.url), file.toReversed())).toBe(true)
  expect([one.statuses, other.statuses]).toEqual([[200], [206, 200]])
  await Promise.all([one.close(), other.close()])
})

test('a range of the same place under another signature is joined', async () => {
  const one = await serveFile(file, { breaks: 1 })
  let asked = 0
  server = await serveBy((_, response) => {
    response.writeHead(302, { Location: `${one.url}?signature=${++asked}` }).end()
  })
  expect(isSame(await fetchFile(server.url), file)).toBe(true)
  expect(one.statuses).toEqual([200, 206])
  await one.close()
})

test('a kept file that cannot be read and a server that then breaks end after the retries', async () => {
  server = await serveFile(file, { breaks: 9 })
  const gone = () =>
    Object.assign(new Response('', { headers: { ETag: '"1"' } }), {
      arrayBuffer: () => Promise.reject(new Error('no')),
    })
  vi.stubGlobal('caches', { open: async () => ({ match: async () => gone(), put: async () => {} }) })
  await expect(fetchFile(server.url, { revalidate: true, retries: 0 })).rejects.toThrow(/broke off/)
  expect(server.statuses).toEqual([304, 200])
})
