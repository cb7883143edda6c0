import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { testNeeding } from '../require.js'
import { findChromium, openPage, startChromium } from './chromium.js'
import { type PageServer, servePages } from './serve.js'

export interface PagesOptions {
  /** Writes the pages into a new folder; returns the folders to serve by the name in their address. */
  readonly build: (folder: string) => Promise<Readonly<Record<string, string>>>
  /** How long a page may take to answer. */
  readonly seconds?: number
}

/** Calls a function that the page has put on `globalThis`. */
export type Call = <Result>(name: string, ...args: unknown[]) => Promise<Result>

/** Pages that the tests of one file share. What belongs to the browser is there only while tests run. */
export interface PagesInChromium {
  /** vitest's, or one that skips where there is no Chromium. */
  readonly test: ReturnType<typeof testNeeding>
  readonly executable: string | undefined
  readonly browser: Browser
  readonly server: PageServer
  /** Opens the page at a path such as `plain/bundled/webgpu.html` in a tab of its own, which is closed whatever it was doing. */
  inTab<Result>(
    path: string,
    work: (call: Call, page: Page) => Promise<Result>,
    context?: Browser | BrowserContext,
  ): Promise<Result>
  /** Calls one function, in a tab of its own. */
  call<Result>(path: string, name: string, ...args: unknown[]): Promise<Result>
}

/** Builds and serves pages and starts Chromium before the tests of a file, and ends all of it after them. */
export function pagesInChromium({ build, seconds }: PagesOptions): PagesInChromium {
  const executable = findChromium()
  const test = testNeeding('browser', executable !== undefined, 'no chromium on the PATH, and DIT_CHROMIUM names none')
  let work: string | undefined
  let server: PageServer
  let browser: Browser

  beforeAll(async () => {
    if (executable === undefined) return
    work = mkdtempSync(join(tmpdir(), 'dit-pages-'))
    server = await servePages(await build(work))
    browser = await startChromium(executable)
  })

  afterAll(async () => {
    await browser?.close()
    await server?.close()
    if (work !== undefined) rmSync(work, { recursive: true, force: true })
  })

  const pages: PagesInChromium = {
    test,
    executable,
    get browser() {
      return browser
    },
    get server() {
      return server
    },
    async inTab(path, work, context = browser) {
      const { page, watch } = await openPage(context, new URL(path, `${server.address}/`).href, seconds)
      const callPage = callOn(page)
      try {
        return await work((name, ...args) => watch(callPage(name, ...args)), page)
      } finally {
        await page.close()
      }
    },
    call: (path, name, ...args) => pages.inTab(path, (call) => call(name, ...args)),
  }
  return pages
}

/** Calls functions that a page has put on `globalThis`, for as long as they take. */
export function callOn(page: Page): Call {
  return <Result>(name: string, ...args: unknown[]) =>
    page.evaluate(
      ([name, args]) => (globalThis as unknown as Record<string, (...args: unknown[]) => Result>)[name](...args),
      [name, args] as const,
    )
}
