import { join } from 'node:path'
import { expect } from 'vitest'
import { build } from 'vite'
import { repositoryRoot } from '../../tools/release/workspace.js'
import { pagesInChromium } from './pages-in-chromium.js'

// The page of the bench, from the sources. Chromium brings a software adapter, on which a whole picture takes minutes.
const SECONDS = 120
const pages = pagesInChromium({
  seconds: SECONDS,
  async build(folder) {
    const favicon = join(folder, 'favicon')
    const root = join(repositoryRoot, 'bench/favicon')
    await build({ root, base: './', logLevel: 'error', build: { outDir: favicon, emptyOutDir: true } })
    return { favicon }
  },
})
const { test } = pages

test(
  'the page beside favicon-diffusion draws and times a picture',
  async () => {
    await pages.inTab('plain/favicon/index.html?steps=1&runs=1&engines=f32&depth=1', async (_, page) => {
      const state = page.locator('#state')
      await state
        .getByText('Done.')
        .or(page.locator('.error'))
        .waitFor({ timeout: SECONDS * 1000 })
      expect(await state.textContent()).toBe('Done.')
      const rows = await page.locator('#rows tr').allInnerTexts()
      expect(rows).toHaveLength(3)
      expect(rows[2]).toMatch(/^dit, f32, here\s+\d+\.\d\d/)
      const values = await page
        .locator('#rows canvas')
        .first()
        .evaluate((canvas: HTMLCanvasElement) => {
          return [...canvas.getContext('2d')!.getImageData(0, 0, 32, 32).data]
        })
      // Random weights and one step: most pixels are at the ends of their range, and not all alike.
      expect(new Set(values).size).toBeGreaterThan(2)
    })
  },
  (SECONDS + 10) * 1000,
)

test('what the address of the page may not say is told', async () => {
  await pages.inTab('plain/favicon/index.html?steps=0', async (_, page) => {
    await page.locator('.error').waitFor()
    expect(await page.locator('#state').textContent()).toBe('steps must be an integer, 1..1000 (got 0)')
  })
})
