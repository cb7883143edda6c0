import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { openSafetensors, writeSafetensors } from '../../src/index.js'
import { urlSource } from '../../src/web/index.js'
import { answerFile, type FileOptions, LFS_POINTER, serveBy, type ServedFile, serveFile } from './serve-file.js'

const file = Uint8Array.from({ length: 200_001 }, (_, i) => i % 251)
/** `toEqual` looks at every byte by itself, which takes long. */
const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0

let server: ServedFile
afterEach(() => server?.close())

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

test('a source says whether a strong ETag proves that its reads are of one version', async () => {
  for (const [options, isOneVersion] of [
    [{}, true],
    [{ headers: { ETag: 'W/"1"' } }, false],
    [{ tells: 'date' }, false],
    [{ tells: 'nothing' }, false],
  ] as const) {
    server = await serveFile(file, options)
    expect(await urlSource(server.url)).toMatchObject({ size: file.length, name: server.url, isOneVersion })
    await server.close()
  }
})

test('a range that breaks or stalls goes on where it broke', async () => {
  for (const fault of [{ breaks: 2 }, { stalls: 2 }]) {
    const [whole, faulty] = [answerFile(file), answerFile(file, fault)]
    server = await serveBy((...asked) => {
      const isFirst = whole.ranges.length === 0
      ;(isFirst ? whole : faulty).answer(...asked)
    })
    const source = await urlSource(server.url, { stallSeconds: 0.05 })
    expect(isSame(await source.read(7, 150_000), file.slice(7, 150_000))).toBe(true)
    expect(faulty.ranges).toHaveLength(3)
    const starts = faulty.ranges.map((range) => Number(/^bytes=(\d+)-149999$/.exec(range ?? '')?.[1]))
    expect(starts[0]).toBe(7)
    expect(starts[1]).toBeGreaterThan(7)
    expect(starts[2]).toBeGreaterThan(starts[1])
    await server.close()
  }
})

test('a file that changes while a range is broken is refused', async () => {
  for (const tells of ['tag', 'date'] as const) {
    const [whole, faulty] = [answerFile(file, { tells }), answerFile(file, { tells, breaks: 1 })]
    server = await serveBy((...asked) => {
      const isFirst = whole.ranges.length === 0
      ;(isFirst ? whole : faulty).answer(...asked)
      if (!isFirst) faulty.replace(file.toReversed())
    })
    const source = await urlSource(server.url)
    await expect(source.read(0, 100_000)).rejects.toThrow(/has changed meanwhile$/)
    expect(faulty.ranges).toHaveLength(2)
    await server.close()
  }
})

test('a busy server is asked again for a range, and a refusal of one is told', async () => {
  const wait = { status: 503, headers: { 'Retry-After': 0 } }
  server = await serveFile(file, { refusals: [wait, wait] })
  const source = await urlSource(server.url)
  expect(source.size).toBe(file.length)
  await server.close()
  server = await serveFile(file, { refusals: [{ status: 404 }] })
  await expect(urlSource(server.url)).rejects.toThrow(/^urlSource: http.*\/weights gave 404 Not Found$/)
  await server.close()
  server = await serveFile(file, { refusals: [{ status: 403 }] })
  await expect(urlSource(server.url)).rejects.toThrow(/gave 403 Forbidden: it may be private, need permission, or/)
})

test('a file of another size than expected is refused with both', async () => {
  server = await serveFile(file)
  expect(await urlSource(server.url, { size: file.length })).toMatchObject({ size: file.length })
  await expect(urlSource(server.url, { size: 5 })).rejects.toThrow(
    /^urlSource: http.*\/weights has 200001 bytes, not the expected 5$/,
  )
})

test('a page or a Git LFS pointer in place of the file is refused by name', async () => {
  const html = { 'Content-Type': 'text/html' }
  for (const hasRanges of [true, false]) {
    server = await serveFile(file, { hasRanges, headers: html })
    await expect(urlSource(server.url)).rejects.toThrow(/gave text\/html, a page and not the file/)
    await server.close()
  }
  server = await serveFile(file, { headers: html })
  expect(await urlSource(server.url, { accept: ['text/html'] })).toMatchObject({ size: file.length })
  await server.close()
  server = await serveFile(Buffer.from(LFS_POINTER))
  await expect(urlSource(server.url)).rejects.toThrow(/^urlSource: .* is a Git LFS pointer and not the file itself/)
})

test('files shorter than what is read first are sources, too', async () => {
  server = await serveFile(Uint8Array.of(1, 2, 3))
  expect(await (await urlSource(server.url)).read(0, 3)).toEqual(Uint8Array.of(1, 2, 3))
})

test('ranges of compressed bytes are refused', async () => {
  server = await serveFile(gzipSync(file), { headers: { 'Content-Encoding': 'gzip' } })
  await expect(urlSource(server.url)).rejects.toThrow(/gives ranges of compressed bytes; fetchFile loads the whole/)
})

test('a range without the ETag of the others is refused', async () => {
  let asked = 0
  server = await serveBy((_, response) => {
    response.writeHead(206, {
      ...(++asked < 2 && { ETag: '"1"' }),
      'Content-Range': asked < 2 ? 'bytes 0-3/4' : 'bytes 0-1/4',
    })
    response.end(asked < 2 ? 'abcd' : 'ab')
  })
  const source = await urlSource(server.url)
  await expect(source.read(0, 2)).rejects.toThrow(/has changed meanwhile$/)
})

test('more bytes than were asked for are refused', async () => {
  server = await serveBy(({ headers }, response) => {
    response.writeHead(206, {
      ETag: '"1"',
      'Content-Range': headers.range === 'bytes=0-1' ? 'bytes 0-1/4' : 'bytes 0-3/4',
    })
    response.end('abcd')
  })
  await expect((await urlSource(server.url)).read(0, 2)).rejects.toThrow(/gave more than the bytes 0 to 2 asked for$/)
})

/** Opens an address that leads to one server and then to another, and reads from the second. */
async function readElsewhere(options: FileOptions) {
  const [one, other] = [await serveFile(file, options), await serveFile(file, options)]
  const targets = [one.url, other.url]
  server = await serveBy((_, response) => void response.writeHead(302, { Location: targets.shift()! }).end())
  const source = await urlSource(server.url)
  const got = await source.read(10, 14).catch((error: unknown) => (error as Error).message)
  await Promise.all([one.close(), other.close()])
  return { got, one, other }
}

test('an address that leads elsewhere is the same file only under a strong ETag', async () => {
  expect((await readElsewhere({ tells: 'tag' })).got).toEqual(file.slice(10, 14))
  await server.close()
  const { got, one, other } = await readElsewhere({ tells: 'date' })
  expect(got).toBe(
    `urlSource: ${server.url} now leads to ${other.url} instead of ${one.url}, and no strong ETag proves that the file is the same`,
  )
})

test('an abort ends opening and reading at once with its reason', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  server = await serveFile(file)
  const source = await urlSource(server.url, { signal: controller.signal })
  controller.abort(reason)
  await expect(source.read(0, 4)).rejects.toBe(reason)
  await expect(urlSource(server.url, { signal: controller.signal })).rejects.toBe(reason)
})

test('options out of range are refused', async () => {
  await expect(urlSource('x', { retries: 0.5 })).rejects.toThrow(
    'urlSource: retries must be an integer of 0 or more (got 0.5)',
  )
})
