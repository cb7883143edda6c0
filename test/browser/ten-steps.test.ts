import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { repositoryRoot } from '../../tools/release/workspace.js'
import { testNeeding } from '../require.js'
import { buildBundledPage, buildWebpackPage, writePlainPage } from './build-pages.js'
import { findChromium, openPage, startChromium } from './chromium.js'
import { type TenSteps, tenSteps } from './pages/ten-steps.js'
import { type PageServer, servePages } from './serve.js'

// Needs a build: the pages use the packages as they are published. Node's own run reads the sources.
const chromium = findChromium()
const test = testNeeding('browser', chromium !== undefined, 'no chromium on the PATH, and DIT_CHROMIUM names none')

/** What pages put on `globalThis`. */
interface PageGlobals {
  tenSteps(threads: number): Promise<TenSteps>
  tenPortableSteps(threads: number): Promise<TenSteps>
  tenStepsInWorker(threads: number): Promise<TenSteps>
  threadsOf(threads: number | 'auto'): Promise<number>
}

let work: string | undefined
let server: PageServer
let browser: Browser
let inNode: TenSteps

beforeAll(async () => {
  if (chromium === undefined) return
  work = mkdtempSync(join(tmpdir(), 'dit-browser-'))
  inNode = await tenSteps(1)
  const folders = {
    bundled: join(work, 'bundled'),
    webpack: join(work, 'webpack'),
    plain: join(work, 'plain'),
    repository: repositoryRoot,
  }
  await buildWebpackPage(folders.webpack, ['bundled', 'ten-steps', 'worker'])
  await buildBundledPage(folders.bundled)
  await writePlainPage(folders.plain, '../repository')
  server = await servePages(folders)
  browser = await startChromium(chromium)
}, 60_000)

afterAll(async () => {
  await browser?.close()
  await server?.close()
  if (work !== undefined) rmSync(work, { recursive: true, force: true })
})

/** Calls a function of a page with one argument, in a page of its own. */
async function call<Name extends keyof PageGlobals>(
  url: string,
  name: Name,
  argument: Parameters<PageGlobals[Name]>[0],
): Promise<Awaited<ReturnType<PageGlobals[Name]>>> {
  const { page, watch } = await openPage(browser, url)
  try {
    const answer = page.evaluate(
      ([name, argument]) => (globalThis as unknown as Record<string, (x: unknown) => unknown>)[name](argument),
      [name, argument] as const,
    )
    return (await watch(answer)) as Awaited<ReturnType<PageGlobals[Name]>>
  } finally {
    await page.close()
  }
}

test('ten steps leave ten losses and a checkpoint, and learn', () => {
  expect(inNode).toMatchObject({ engine: 'wasm', instructionSet: 'relaxed-simd', threads: 1 })
  expect(inNode.losses).toHaveLength(10)
  expect(inNode.losses[9]).toBeLessThan(inNode.losses[0])
  const names = Object.keys(inNode.digests).map((path) => path.split('/').at(-1))
  const tensors = ['model.safetensors', 'ema.safetensors', 'optimizer.safetensors']
  expect(new Set(names)).toEqual(new Set([...tensors, 'state.json', 'manifest.json', 'log.jsonl']))
})

test('a page bundled by Vite trains to the same bits as Node', async () => {
  expect(await call(`${server.plain}/bundled/bundled.html`, 'tenSteps', 1)).toEqual(inNode)
})

test('a page bundled by webpack trains to the same bits as Node, in a worker on two threads, too', async () => {
  expect(await call(`${server.plain}/webpack/webpack.html`, 'tenSteps', 1)).toEqual(inNode)
  const result = await call(`${server.isolated}/webpack/webpack.html`, 'tenStepsInWorker', 2)
  expect(result).toEqual({ ...inNode, threads: 2 })
})

test('without relaxed SIMD, too, a page trains to the same bits as Node, which are others', async () => {
  const portable = await tenSteps(1, 'simd128')
  expect(await call(`${server.plain}/bundled/bundled.html`, 'tenPortableSteps', 1)).toEqual(portable)
  expect(portable.digests).not.toEqual(inNode.digests)
})

test('a page without a bundler trains to the same bits as Node', async () => {
  expect(await call(`${server.plain}/plain/plain.html`, 'tenSteps', 1)).toEqual(inNode)
})

test('a worker of a cross-origin isolated page trains on two threads to the same bits as Node on one', async () => {
  const result = await call(`${server.isolated}/bundled/bundled.html`, 'tenStepsInWorker', 2)
  expect(result).toEqual({ ...inNode, threads: 2 })
})

test('a page that is not cross-origin isolated has one thread, and two are an error', async () => {
  const url = `${server.plain}/bundled/bundled.html`
  expect(await call(url, 'threadsOf', 'auto')).toBe(1)
  await expect(call(url, 'threadsOf', 2)).rejects.toThrow(
    'cpu: threads must be 1 here (got 2): the page is not cross-origin isolated',
  )
})

test('the main thread of an isolated page has one thread, and two are an error', async () => {
  const url = `${server.isolated}/bundled/bundled.html`
  expect(await call(url, 'threadsOf', 'auto')).toBe(1)
  await expect(call(url, 'threadsOf', 2)).rejects.toThrow(
    'cpu: threads must be 1 here (got 2): the main thread of a page may not wait; make the backend in a Worker',
  )
})
