import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { writeSafetensors } from '@dit/checkpoint'
import type { BrowserContext, Page } from 'playwright-core'
import { afterEach, beforeEach, expect } from 'vitest'
import { type AnsweredFile, answerFile, type FileOptions } from '../../packages/checkpoint/test/web/serve-file.js'
import { buildBundledPage } from './build-pages.js'
import { INSECURE_HOST, openPage } from './chromium.js'
import { callOn, pagesInChromium } from './pages-in-chromium.js'
import type { Loaded, LoadOptions } from './pages/files.js'

// Needs a build: the page uses the packages as they are published.
const PAGE = 'plain/bundled/files.html'
const pages = pagesInChromium({
  async build(folder) {
    const bundled = join(folder, 'bundled')
    await buildBundledPage(bundled, 'files.html')
    return { bundled }
  },
})
const { test } = pages

const file = Uint8Array.from({ length: 300_001 }, (_, i) => i % 251)
const other = Uint8Array.from({ length: 200_003 }, (_, i) => i % 241)

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A visitor with storage of their own, and a tab of theirs. */
let visitor: BrowserContext
let tab: Page
beforeEach(async () => {
  if (pages.executable === undefined) return
  visitor = await pages.browser.newContext()
  tab = (await openPage(visitor, new URL(PAGE, `${pages.server.address}/`).href)).page
})
afterEach(() => visitor?.close())

function serve(contents: Uint8Array, options?: FileOptions, name = 'weights'): AnsweredFile {
  const answered = answerFile(contents, options)
  pages.server.answers.set(name, answered.answer)
  return answered
}

/** Loads in the visitor's tab. */
function load(options: LoadOptions = {}, url = '/answers/weights'): Promise<Loaded> {
  return callOn(tab)('load', url, options)
}

test('a file comes with progress, and in the next tab from the cache without a word to the server', async () => {
  const file = Uint8Array.from({ length: 8_000_001 }, (_, i) => i % 251)
  const served = serve(file)
  const first = await load()
  expect(first.file).toBe(sha256(file))
  expect(first.progress.at(-1)).toEqual({ bytes: file.length, total: file.length, isCached: false })
  expect(first.progress.length).toBeGreaterThan(1)
  expect(served.statuses).toEqual([200])
  const second = await pages.inTab(PAGE, (call) => call<Loaded>('load', '/answers/weights'), visitor)
  expect(second.file).toBe(sha256(file))
  expect(second.progress).toEqual([{ bytes: file.length, total: file.length, isCached: true }])
  expect(served.statuses).toEqual([200])
  expect([...first.cacheErrors, ...second.cacheErrors]).toEqual([])
})

for (const tells of ['tag', 'date', 'nothing'] as const) {
  test(`asked to, a page loads a kept file anew only if it has changed; the server tells by ${tells}`, async () => {
    const served = serve(file, { tells })
    await load()
    const same = await load({ revalidate: true })
    expect(same.file).toBe(sha256(file))
    expect(same.progress.at(-1)).toMatchObject({ isCached: tells !== 'nothing' })
    served.replace(other)
    expect((await load()).file).toBe(sha256(file))
    expect((await load({ revalidate: true })).file).toBe(sha256(other))
    expect(served.statuses).toEqual([200, tells === 'nothing' ? 200 : 304, 200])
    // And that is kept from now on.
    expect((await load()).file).toBe(sha256(other))
    expect(served.statuses).toHaveLength(3)
  })
}

test('a download that breaks goes on where it broke, with a range', async () => {
  const served = serve(file, { breaks: 2 })
  const { file: got, progress } = await load()
  expect(got).toBe(sha256(file))
  expect(served.statuses).toEqual([200, 206, 206])
  expect(served.ranges[1]).toMatch(/^bytes=[1-9]\d*-/)
  expect(progress.map(({ bytes }) => bytes)).toEqual(progress.map(({ bytes }) => bytes).toSorted((a, b) => a - b))
})

test('a server without ranges is asked for the whole again', async () => {
  const served = serve(file, { breaks: 1, hasRanges: false })
  expect((await load()).file).toBe(sha256(file))
  expect(served.statuses).toEqual([200, 200])
})

test('a download that breaks too often, or is shorter than promised, fails and keeps nothing', async () => {
  serve(file, { breaks: 9 })
  const broken = await load({ retries: 1 })
  const error = expect.stringMatching(
    /^WebFileError: fetchFile: \/answers\/weights broke off \(network error\)$/,
  ) as string
  expect(broken).toMatchObject({ file: null, error, kept: [] })
  serve(file, { hasRanges: false, headers: { 'Content-Length': file.length + 5, Connection: 'close' } })
  const short = await load({ retries: 1 })
  expect(short).toMatchObject({ file: null, error, kept: [] })
})

test('a download that is given up ends at once and keeps nothing, and the next one is whole', async () => {
  serve(file, { stalls: true })
  const { error, progress, kept } = await load({ abortAfter: 1000 })
  expect(error).toMatch(/^AbortError: /)
  expect(progress.at(-1)!.bytes).toBeLessThan(file.length)
  expect(kept).toEqual([])
  serve(file)
  expect((await load()).file).toBe(sha256(file))
})

test('a download that stalls goes on where it stopped, and a busy server is asked again', async () => {
  const served = serve(file, { stalls: 1, refusals: [{ status: 503, headers: { 'Retry-After': 0 } }] })
  expect((await load({ stallSeconds: 1 })).file).toBe(sha256(file))
  expect(served.statuses).toEqual([503, 200, 206])
  expect(served.ranges[2]).toMatch(/^bytes=[1-9]\d*-$/)
})

test('a kept file that is not as expected is dropped and loaded anew, and a wrong one is not kept', async () => {
  // A server that lets the browser itself keep answers for an hour, too.
  const served = serve(other, { headers: { 'Cache-Control': 'max-age=3600' } })
  await load()
  served.replace(file)
  const now = await load({ sha256: sha256(file) })
  expect(now.file).toBe(sha256(file))
  expect(now.cacheErrors).toEqual([
    `WebFileError: fetchFile: the kept file of /answers/weights has SHA-256 ${sha256(other)}, not the expected ${sha256(file)}; it is fetched anew`,
  ])
  expect((await load({ sha256: sha256(file) })).progress).toMatchObject([{ isCached: true }])
  const wrong = await load({ size: 5 })
  expect(wrong).toMatchObject({
    error: `WebFileError: fetchFile: /answers/weights has ${file.length} bytes, not the expected 5`,
    kept: [],
  })
  expect(served.statuses).toEqual([200, 200, 200])
})

test('a page in place of the file is refused', async () => {
  serve(file, { headers: { 'Content-Type': 'text/html' } })
  expect((await load()).error).toMatch(/gave text\/html, a page and not the file/)
})

test('where there is no room to keep a file it comes all the same, and the page is told', async () => {
  const served = serve(file)
  const session = await visitor.newCDPSession(tab)
  await session.send('Storage.overrideQuotaForOrigin', { origin: pages.server.address, quotaSize: 1000 })
  const full = await load()
  expect(full.file).toBe(sha256(file))
  expect(full.cacheErrors).toEqual([expect.stringMatching(/^QuotaExceededError: /)])
  expect(full.kept).toEqual([])
  await session.send('Storage.overrideQuotaForOrigin', { origin: pages.server.address })
  expect((await load()).kept).toHaveLength(1)
  expect(served.statuses).toHaveLength(2)
})

test('a page that is not secure has no cache and loads, and is told that it cannot keep runs', async () => {
  serve(file)
  const insecure = `http://${INSECURE_HOST}:${pages.server.port}/${PAGE}`
  await pages.inTab(
    insecure,
    async (call, page) => {
      expect(await page.evaluate(() => 'caches' in globalThis)).toBe(false)
      expect(await call<Loaded>('load', '/answers/weights')).toMatchObject({
        file: Buffer.from(file).toString('hex'),
        cacheErrors: [],
      })
      // Without `crypto.subtle` the digest is computed by our own code.
      expect(await call<Loaded>('load', '/answers/weights', { sha256: sha256(file) })).toMatchObject({
        file: Buffer.from(file).toString('hex'),
      })
      expect((await call<Loaded>('load', '/answers/weights', { sha256: sha256(file.subarray(1)) })).error).toContain(
        sha256(file),
      )
      expect(await call('storeError')).toMatch(/offer that to secure pages only; serve this one over https/)
    },
    visitor,
  )
})

test('addresses that a cache cannot keep come all the same', async () => {
  const { file: got, cacheErrors } = await load({}, 'data:application/octet-stream;base64,AAECAwQF')
  expect(got).toBe(sha256(Uint8Array.of(0, 1, 2, 3, 4, 5)))
  expect(cacheErrors).toEqual([expect.stringMatching(/^TypeError: .*data/)])
})

/** Servers of other origins show pages the length, and hide ETag, ranges and encoding unless they say otherwise. */
const CORS = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': 'Range, If-Range' }

test('a file of another origin comes with progress, also where that hides that it is compressed', async () => {
  const origin = `http://${INSECURE_HOST}:${pages.server.port}`
  serve(file, { headers: CORS })
  const plain = await load({ cache: null }, `${origin}/answers/weights`)
  expect(plain.file).toBe(sha256(file))
  expect(plain.progress.at(-1)).toMatchObject({ total: file.length })
  serve(gzipSync(file), { headers: { ...CORS, 'Content-Encoding': 'gzip' } }, 'compressed')
  const compressed = await load({ cache: null }, `${origin}/answers/compressed`)
  expect(compressed.file).toBe(sha256(file))
  expect(compressed.progress.at(-1)).toMatchObject({ bytes: file.length, total: null })
  // Nor is the compressed length taken for the file's size.
  const sized = await load({ cache: null, size: file.length }, `${origin}/answers/compressed`)
  expect(sized.file).toBe(sha256(file))
})

test('a broken download of another origin goes on where that shows ETag and ranges, and begins anew elsewhere', async () => {
  const address = `http://${INSECURE_HOST}:${pages.server.port}/answers/weights`
  // Chromium's own cache would go on by an ETag that it does not show to the page.
  const headers = { ...CORS, 'Cache-Control': 'no-store' }
  const hidden = serve(file, { headers, stalls: 1 })
  expect((await load({ cache: null, stallSeconds: 1 }, address)).file).toBe(sha256(file))
  expect(hidden.statuses).toEqual([200, 200])
  const exposed = { ...headers, 'Access-Control-Expose-Headers': 'ETag, Content-Range' }
  const shown = serve(file, { headers: exposed, stalls: 1 })
  expect((await load({ cache: null, stallSeconds: 1 }, address)).file).toBe(sha256(file))
  // Between them the browser asks whether it may send If-Range.
  expect(shown.statuses).toEqual([200, 200, 206])
})

test('one tensor of a file comes by itself, and a file that has changed since is no error', async () => {
  const tensors = (last: number) =>
    writeSafetensors(
      new Map([
        ['first', { dtype: 'F32', shape: [1000], data: new Float32Array(1000) }],
        ['second', { dtype: 'F32', shape: [2], data: Float32Array.of(7, last) }],
      ] as const),
      {},
    )
  // A server that lets the browser keep answers for an hour.
  const served = serve(tensors(8), { headers: { 'Cache-Control': 'max-age=3600' } })
  const loadTensor = () => callOn(tab)('loadTensor', '/answers/weights', 'second')
  expect(await loadTensor()).toEqual([7, 8])
  expect(served.statuses.every((status) => status === 206)).toBe(true)
  served.replace(tensors(9))
  expect(await loadTensor()).toEqual([7, 9])
})
