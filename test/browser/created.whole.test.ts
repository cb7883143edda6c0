import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { build } from 'vite'
import { smallModel } from '../../packages/pipeline/test/open/small-model.js'
import { repositoryRoot } from '../../tools/release/workspace.js'
import { startChromium } from './chromium.js'
import { pagesInChromium } from './pages-in-chromium.js'

// Needs a build: the page that `npm create dit` writes, built by its own configuration, uses the packages as they are published.
const template = join(repositoryRoot, 'apps', 'create-dit', 'templates', 'vite')

const pages = pagesInChromium({
  seconds: 150,
  async build(folder) {
    const empty = join(folder, 'empty')
    await build({ root: template, logLevel: 'error', build: { outDir: empty, emptyOutDir: true } })
    const drawing = join(folder, 'drawing')
    await cp(empty, drawing, { recursive: true })
    const model = await smallModel()
    await writeFile(join(drawing, 'model.safetensors'), await model.save())
    return { empty, drawing }
  },
})
const { test } = pages

const status = (page: Page) => page.locator('[role=status]')
const untilDrawn = (page: Page) =>
  status(page)
    .filter({ hasText: /^Drawn/ })
    .waitFor({ timeout: 150_000 })
const pixels = (page: Page) =>
  page.evaluate(() => {
    const canvas = document.querySelector('canvas')!
    return [...canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data]
  })

test('the created page draws at once with threads of WebAssembly, and anew for another seed and class', async () => {
  await pages.inTab('isolated/drawing/index.html', async (_, page) => {
    await untilDrawn(page)
    // Chromium offers an adapter that computes on the processor here.
    expect(await status(page).textContent()).toMatch(/^Drawn with WebAssembly, \d+ threads? \(WebGPU would compute/)
    const first = await pixels(page)
    expect(first).toHaveLength(8 * 8 * 4)
    expect(new Set(first).size).toBeGreaterThan(20)

    await page.fill('[name=seed]', '2')
    await page.selectOption('select', 'square')
    await page.click('button')
    await untilDrawn(page)
    expect(await pixels(page)).not.toEqual(first)
    expect(await page.locator('canvas').getAttribute('aria-label')).toBe('square')
  })
})

test('without an adapter and without isolation it says why it computes with one thread', async () => {
  const browser = await startChromium(pages.executable!, 'none')
  try {
    await pages.inTab(
      'plain/drawing/index.html',
      async (_, page) => {
        await untilDrawn(page)
        expect(await status(page).textContent()).toBe(
          'Drawn with WebAssembly, 1 thread (this browser offers no WebGPU; more need the headers in vite.config.ts)',
        )
      },
      browser,
    )
  } finally {
    await browser.close()
  }
})

test('without a model it says how to make one', async () => {
  const page = await pages.browser.newPage()
  try {
    await page.goto(`${pages.server.address}/plain/empty/index.html`)
    const text = `There is no model at ${pages.server.address}/plain/empty/model.safetensors (404): npm run train makes it.`
    await status(page).filter({ hasText: text }).waitFor({ timeout: 150_000 })
    expect(await page.locator('button').isDisabled()).toBe(true)
  } finally {
    await page.close()
  }
})
