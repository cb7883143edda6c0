import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { runDit } from '../../cli/test/support/run-dit.js'
import { playgroundTests } from './playground/in-chromium.js'
import { siteInChromium, violations } from './site-in-chromium.js'
import { trainImportTests } from './train/import-in-chromium.js'

const site = siteInChromium()
const { test, visit } = site

const PAGES = [
  '',
  'start/hobbyist.html',
  'start/web.html',
  'train.html',
  'how/index.html',
  'how/patches.html',
  'how/schedules.html',
  'how/adaln.html',
  'how/attention.html',
  'how/guidance.html',
  'how/solvers.html',
  'how/scaling.html',
  'guides/scaling.html',
  'reference/index.html',
  'reference/random/api.html',
  'reference/data/node.html',
  'performance.html',
  'comparison.html',
  'errors.html',
]

test('every kind of page has no violation of WCAG 2.1 A and AA in light and dark, and fits a phone', async () => {
  for (const path of PAGES) {
    await visit(path, async (page) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        const isDark = () => page.evaluate(() => document.documentElement.classList.contains('dark'))
        await expect.poll(isDark).toBe(colorScheme === 'dark')
        expect(await violations(page), `${path} ${colorScheme}`).toEqual([])
      }
      await page.setViewportSize({ width: 390, height: 800 })
      const width = () => page.evaluate(() => document.documentElement.scrollWidth)
      await expect.poll(width, { message: path }).toBeLessThanOrEqual(390)
    })
  }
})

test('figures follow their sliders by keyboard', async () => {
  const figures: readonly (readonly [path: string, slider: string, figure: string])[] = [
    ['how/patches.html', 'Patch size P', 'A picture as tokens'],
    ['how/schedules.html', 'Time t', 'The same time, four amounts of noise'],
    ['how/adaln.html', 'Gate α', 'Shift, scale and gate'],
    ['how/adaln.html', 'Timestep', 'What the network is told of the time'],
    ['how/attention.html', 'Row', 'Where a token stands'],
    ['how/guidance.html', 'Guidance scale', 'Guidance pulls samples towards a class'],
    ['how/solvers.html', 'Steps', 'From noise to samples, step by step'],
    ['how/scaling.html', 'Compute', 'How large a network for a given budget?'],
  ]
  for (const [path, slider, figure] of figures) {
    await visit(path, async (page) => {
      const body = page.locator(`figure[aria-label="${figure}"] .figure-body`)
      const seen = () =>
        body.evaluate((element) =>
          [element.innerHTML, ...[...element.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL())].join(),
        )
      await expect.poll(async () => (await seen()).length, { timeout: 60_000 }).toBeGreaterThan(1000)
      const before = await seen()
      const control = page.getByRole('slider', { name: slider })
      const value = await control.inputValue()
      await control.focus()
      await page.keyboard.press('ArrowRight')
      expect(await control.inputValue(), slider).not.toBe(value)
      await expect.poll(seen, { timeout: 60_000 }).not.toBe(before)
    })
  }
})

test('the page trains, goes on after a reload, and exports what the command line draws with', async () => {
  await visit('train.html', async (page) => {
    const status = page.locator('.train-status')
    const seen = async (text: RegExp) => {
      await expect.poll(() => status.textContent(), { timeout: 240_000 }).toMatch(text)
    }
    const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
    await seen(/Nothing is trained here yet/)
    await page.getByRole('radio', { name: 'Shapes' }).check({ force: true })
    await page.getByRole('slider', { name: 'Steps' }).fill('200')
    await press('Train')
    await seen(/^step \d+ of 200, .* steps a second/)
    await press('Pause')
    await seen(/^Paused at step \d+ of 200/)
    const paused = await status.textContent()
    await page.reload({ waitUntil: 'networkidle' })
    await seen(new RegExp(`^${paused?.trim()}`))
    expect(await violations(page)).toEqual([])
    await press('Go on')
    await seen(/^Finished: step 200 of 200, held-out error 0\.\d+/)
    expect(await page.locator('.train-samples canvas').count()).toBe(6)
    const [download] = await Promise.all([page.waitForEvent('download'), press('Export')])
    const file = join(site.folder, download.suggestedFilename())
    await download.saveAs(file)
    const drawn = join(site.folder, 'drawn.png')
    const { code, stderr } = await runDit(['sample', file, '--count', '1', '--steps', '4', '--out', drawn])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(existsSync(drawn)).toBe(true)
  })
})

trainImportTests(site)

test('search finds a guide without leaving the origin', async () => {
  await visit('', async (page) => {
    await page.keyboard.press('Control+k')
    await page.getByRole('searchbox').fill('resume exactly')
    await page.locator('.VPLocalSearchBox .result').first().waitFor({ timeout: 60_000 })
  })
})

playgroundTests(site)
