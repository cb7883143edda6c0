import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conformanceCases } from '@dit/tensor/conformance'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { testNeeding } from '../require.js'
import { buildBundledPage } from './build-pages.js'
import { findChromium, openPage, startChromium } from './chromium.js'
import type { ConformanceLine } from './pages/tfjs.js'
import { type PageServer, servePages } from './serve.js'

// Needs a build: the page uses the packages as they are published. Chromium brings a software adapter, which is slow.
const chromium = findChromium()
const SECONDS = 500
const test = testNeeding('browser', chromium !== undefined, 'no chromium on the PATH, and DIT_CHROMIUM names none')

/** What the page puts on `globalThis`. */
interface PageGlobals {
  conformance(engine: string): Promise<ConformanceLine[]>
  roundTrip(engine: string): Promise<{ readonly values: readonly number[]; readonly left: number }>
}

let work: string | undefined
let server: PageServer
let browser: Browser

beforeAll(async () => {
  if (chromium === undefined) return
  work = mkdtempSync(join(tmpdir(), 'dit-tfjs-'))
  await buildBundledPage(join(work, 'bundled'), 'tfjs.html')
  server = await servePages({ bundled: join(work, 'bundled') })
  browser = await startChromium(chromium)
}, 60_000)

afterAll(async () => {
  await browser?.close()
  await server?.close()
  if (work !== undefined) rmSync(work, { recursive: true, force: true })
})

async function inPage<Name extends keyof PageGlobals>(
  name: Name,
  engine: string,
): Promise<Awaited<ReturnType<PageGlobals[Name]>>> {
  const { page, watch } = await openPage(browser, `${server.plain}/bundled/tfjs.html`, SECONDS)
  try {
    const answer = page.evaluate(
      ([name, engine]) => (globalThis as unknown as Record<string, (x: string) => unknown>)[name](engine),
      [name, engine] as const,
    )
    return (await watch(answer)) as Awaited<ReturnType<PageGlobals[Name]>>
  } finally {
    await page.close()
  }
}

describe.each(['cpu', 'wasm', 'webgpu'])('tfjs on %s in Chromium', (engine) => {
  test(
    'passes every case of the conformance suite with its own tolerances',
    async () => {
      const lines = await inPage('conformance', engine)
      expect(lines.map(({ name }) => name)).toEqual(conformanceCases().map(({ name }) => name))
      expect(lines.filter(({ error }) => error !== null)).toEqual([])
    },
    (SECONDS + 10) * 1000,
  )

  test('takes and gives tensors of tfjs, and leaves none behind', async () => {
    expect(await inPage('roundTrip', engine)).toEqual({ values: [4, 16, 36], left: 0 })
  })
})
