import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpu } from '@dit/backend-cpu'
import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { repositoryRoot } from '../../tools/release/workspace.js'
import { testNeeding } from '../require.js'
import { buildBundledPage, buildWebpackPage, writePlainPage } from './build-pages.js'
import { findChromium, openPage, startChromium } from './chromium.js'
import { type TrainedAndSampled, trainAndSample } from './pages/train-and-sample.js'
import { type PageServer, servePages } from './serve.js'

// Needs a build: the pages use the packages as they are published. Chromium brings a software adapter.
const chromium = findChromium()
// The adapter computes on the processor, and compiles its kernels there.
const SECONDS = 150
const test = testNeeding('browser', chromium !== undefined, 'no chromium on the PATH, and DIT_CHROMIUM names none')

let work: string | undefined
let server: PageServer
let browser: Browser
let inNode: TrainedAndSampled

beforeAll(async () => {
  if (chromium === undefined) return
  work = mkdtempSync(join(tmpdir(), 'dit-webgpu-'))
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  inNode = await trainAndSample(backend)
  await backend.dispose()
  const folders = {
    bundled: join(work, 'bundled'),
    webpack: join(work, 'webpack'),
    plain: join(work, 'plain'),
    repository: repositoryRoot,
  }
  await buildWebpackPage(folders.webpack, ['webgpu', 'train-and-sample'])
  await buildBundledPage(folders.bundled, 'webgpu.html')
  await writePlainPage(folders.plain, '../repository', ['train-and-sample', 'webgpu'])
  server = await servePages(folders)
  browser = await startChromium(chromium)
}, 60_000)

afterAll(async () => {
  await browser?.close()
  await server?.close()
  if (work !== undefined) rmSync(work, { recursive: true, force: true })
})

async function inPage(url: string): Promise<TrainedAndSampled> {
  const { page, watch } = await openPage(browser, url, SECONDS)
  try {
    const work = page.evaluate(() =>
      (globalThis as unknown as { trainOnWebGpu(): Promise<TrainedAndSampled> }).trainOnWebGpu(),
    )
    return await watch(work)
  } finally {
    await page.close()
  }
}

for (const page of ['bundled/webgpu.html', 'webpack/webpack.html', 'plain/plain.html']) {
  test(`${page} trains from scratch on WebGPU to the losses of the CPU kernels, and samples`, async () => {
    const result = await inPage(`${server.plain}/${page}`)
    expect(result.engine).toBe('webgpu')
    expect(result.losses).toHaveLength(10)
    for (const [i, loss] of result.losses.entries()) expect(Math.abs(loss / inNode.losses[i] - 1)).toBeLessThan(1e-4)
    expect(result.losses[9]).toBeLessThan(result.losses[0])
    // Ten steps of training at a high rate carry rounding apart; the pictures stay the same to the eye.
    const largest = Math.max(...result.samples.map((value, i) => Math.abs(value - inNode.samples[i])))
    expect(largest).toBeLessThan(2 / 255)
  }, 160_000)
}

test('a run in the storage of the page goes on after its tab was closed in the middle, to the same bits', async () => {
  const url = `${server.plain}/bundled/webgpu.html`
  const context = await browser.newContext()
  try {
    const first = await stored(context, url, 'closed', 5)
    expect(first.resumedFrom).toBe(null)
    const second = await stored(context, url, 'closed', null)
    expect(second.resumedFrom).toBe('checkpoints/step-0000004')
    const unbroken = await stored(context, url, 'unbroken', null)
    expect([...first.losses.slice(0, 4), ...second.losses]).toEqual(unbroken.losses)
  } finally {
    await context.close()
  }
}, 480_000)

interface StoredRun {
  readonly resumedFrom: string | null
  readonly losses: readonly number[]
}

/** In a tab of its own, which is closed whatever it was doing. */
async function stored(
  context: BrowserContext,
  url: string,
  name: string,
  hangAfter: number | null,
): Promise<StoredRun> {
  const { page, watch } = await openPage(context, url, SECONDS)
  try {
    const work = page.evaluate(
      ([name, hangAfter]) =>
        (
          globalThis as unknown as { trainInStorage(name: string, hangAfter: number | null): Promise<StoredRun> }
        ).trainInStorage(name, hangAfter),
      [name, hangAfter] as const,
    )
    return await watch(work)
  } finally {
    await page.close()
  }
}
