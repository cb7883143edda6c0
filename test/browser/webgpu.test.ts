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
  const context = await browser.newContext()
  try {
    const first = await inTab(context, (call) => call<StoredRun>('trainInStorage', 'closed', 5))
    expect(first.resumedFrom).toBe(null)
    const second = await inTab(context, (call) => call<StoredRun>('trainInStorage', 'closed', null))
    expect(second.resumedFrom).toBe('checkpoints/step-0000004')
    expect([...first.losses.slice(0, 4), ...second.losses]).toEqual(await unbroken())
  } finally {
    await context.close()
  }
}, 480_000)

test('a run that loses its device between two steps and within one goes on in the same tab, to the same bits', async () => {
  const context = await browser.newContext()
  try {
    await inTab(context, async (call) => {
      const between = await call<LostRun>('loseDevice', 'lost', 3, 'between')
      const within = await call<LostRun>('loseDevice', 'lost', 3, 'within')
      for (const { error, losses } of [between, within]) {
        expect(error).toMatch(/^webgpu: the device was lost \(.*make a new backend with webgpu\(\) and resume/)
        expect(losses).toHaveLength(3)
      }
      const last = await call<StoredRun>('trainInStorage', 'lost', null)
      expect(last.resumedFrom).toBe('checkpoints/step-0000004')
      const losses = [...between.losses.slice(0, 2), ...within.losses.slice(0, 2), ...last.losses]
      expect(losses).toEqual(await unbroken())
    })
  } finally {
    await context.close()
  }
}, 480_000)

test('a page without WebGPU, or without an adapter, is told why, and trains in WebAssembly to the same bits as Node', async () => {
  const without = await startChromium(chromium!, 'none')
  try {
    const context = await without.newContext()
    const noAdapter = await inTab(context, (call) => call<TrainedOnCpu>('trainWhereItCan'))
    await context.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'gpu'))
    const noWebGpu = await inTab(context, (call) => call<TrainedOnCpu>('trainWhereItCan'))
    expect(noAdapter).toEqual({ ...inNode, why: expect.stringMatching(/no adapter: .*driver.*chrome:\/\/gpu/) })
    const browsersAndFlags = /no WebGPU\. Chrome and Edge .*chrome:\/\/flags.*Safari.*Firefox.*about:config.*cpu\(\)/
    expect(noWebGpu).toEqual({ ...inNode, why: expect.stringMatching(browsersAndFlags) })
  } finally {
    await without.close()
  }
}, 160_000)

interface StoredRun {
  readonly resumedFrom: string | null
  readonly losses: readonly number[]
}

interface LostRun {
  readonly error: string
  readonly losses: readonly number[]
}

interface TrainedOnCpu extends TrainedAndSampled {
  readonly why: string
}

let ofUnbroken: Promise<readonly number[]> | undefined

/** Losses of a run that nothing interrupts. */
function unbroken(): Promise<readonly number[]> {
  ofUnbroken ??= inTab(browser, async (call) => (await call<StoredRun>('trainInStorage', 'unbroken', null)).losses)
  return ofUnbroken
}

/** Calls a function of the page. */
type Call = <Result>(name: string, ...args: unknown[]) => Promise<Result>

/** Opens the bundled page in a tab of its own, which is closed whatever it was doing. */
async function inTab<Result>(
  context: Browser | BrowserContext,
  work: (call: Call) => Promise<Result>,
): Promise<Result> {
  const { page, watch } = await openPage(context, `${server.plain}/bundled/webgpu.html`, SECONDS)
  const call = <Answer>(name: string, ...args: unknown[]) =>
    watch<Answer>(
      page.evaluate(
        ([name, args]) => (globalThis as unknown as Record<string, (...args: unknown[]) => Answer>)[name](...args),
        [name, args] as const,
      ),
    )
  try {
    return await work(call)
  } finally {
    await page.close()
  }
}
