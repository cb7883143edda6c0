import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { smallModel } from '../../../packages/pipeline/test/open/small-model.js'
import { findChromium, startChromium } from '../../../test/browser/chromium.js'
import { testNeeding } from '../../../test/require.js'
import { app } from '../src/build/paths.js'
import { type SiteServer, serveSite } from './serve-site.js'

/** What a visit may differ in. */
export interface VisitOptions extends BrowserContextOptions {
  /** Complaints that belong to what is tested. */
  readonly expected?: RegExp
}

/** The site as it is built, under a sub-path, in a browser that can reach nothing but it. */
export interface Site {
  /** vitest's, or one that skips where there is no Chromium. */
  readonly test: ReturnType<typeof testNeeding>
  readonly base: string
  readonly server: SiteServer
  /** The folder of the site. */
  readonly folder: string
  /** The weights that stand for the heroes: those of a small network with the classes elf, orc and troll. */
  readonly model: Uint8Array
  /** Opens a page as a visitor would; fails where it complains, or asks another origin for anything. */
  readonly visit: (path: string, look: (page: Page) => Promise<void>, options?: VisitOptions) => Promise<void>
}

/** Pages of the reference that are made; the others are empty, since all of them take minutes. */
const REFERENCE = ['random/api', 'data/node']

/** Builds and serves the site before the tests of a file. */
export function siteInChromium(): Site {
  const base = '/some/where/'
  const executable = findChromium()
  const test = testNeeding('browser', executable !== undefined, 'no chromium on the PATH, and DIT_CHROMIUM names none')
  let work: string | undefined
  let model: Uint8Array
  let server: SiteServer
  let browser: Browser
  const folder = () => join(work!, 'site')

  beforeAll(async () => {
    if (executable === undefined) return
    work = mkdtempSync(join(tmpdir(), 'dit-docs-'))
    const heroes = await smallModel({ meanType: 'x0' }, { inputSize: 32, patchSize: 8, numClasses: 3 }, [
      'elf',
      'orc',
      'troll',
    ])
    model = await heroes.save()
    writeFileSync(join(work, 'heroes.safetensors'), model)
    const program = ['--import', '../../tools/typescript.mjs', 'src/build/main.ts']
    const options = ['--reference', REFERENCE.join(','), '--base', base, '--out', folder(), '--models', work]
    await promisify(execFile)(process.execPath, [...program, ...options], { cwd: app })
    server = await serveSite(folder(), base)
    browser = await startChromium(executable, 'none')
  }, 900_000)

  afterAll(async () => {
    await browser?.close()
    await server?.close()
    if (work !== undefined) rmSync(work, { recursive: true, force: true })
  })

  return {
    test,
    base,
    get server() {
      return server
    },
    get folder() {
      return folder()
    },
    get model() {
      return model
    },
    async visit(path, look, { expected, ...options } = {}) {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 900 },
        reducedMotion: 'reduce',
        ...options,
      })
      const complaints: string[] = []
      try {
        const page = await context.newPage()
        page.on('pageerror', (error) => complaints.push(String(error)))
        page.on('console', (message) => {
          if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
        })
        context.on('request', (request) => {
          const { origin, protocol } = new URL(request.url())
          if (protocol.startsWith('http') && origin !== server.origin) complaints.push(`asks for ${request.url()}`)
        })
        page.on('response', (response) => {
          if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`)
        })
        await page.goto(`${server.origin}${base}${path}`, { waitUntil: 'networkidle' })
        await look(page)
        expect(
          complaints.filter((complaint) => expected?.test(complaint) !== true),
          path,
        ).toEqual([])
      } finally {
        await context.close()
      }
    },
  }
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds on a page at WCAG 2.1 A and AA. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      readonly axe: {
        run(options: object): Promise<{
          readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[]
        }>
      }
    }
    const found = await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })
    return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))
  })
}
