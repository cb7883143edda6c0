import { writeFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { comparisonPage, type Evaluation, evaluationPage, runPage } from '@dit/evaluate'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import {
  classesOf,
  comparisonOf,
  evaluationOf,
  measureOf,
  nearestOf,
  setOf,
} from '../../packages/evaluate/test/report/example-evaluation.js'
import { pagesInChromium } from './pages-in-chromium.js'

// Report pages in a real browser, wide and narrow, with names as long as they may come. A page that complains does not open.
const LONG = `a-name-without-spaces-${'x'.repeat(200)}`
const names = Array.from({ length: 1000 }, (_, i) =>
  i % 50 === 3 ? `${i}-${LONG}` : `class ${i} <script>alert(1)</script>`,
)
const evaluation = evaluationOf({
  generated: setOf(`/data/${'deep/'.repeat(60)}run`, { classNames: names }),
  classes: classesOf(names),
  measures: [measureOf({ title: LONG, warnings: [LONG] }), measureOf({ value: 123456.789 })],
  sampling: { [LONG]: LONG },
  nearest: Array.from({ length: 20 }, (_, i) =>
    nearestOf(i, {
      className: LONG,
      isSuspect: i < 3,
      neighbours: Array.from({ length: 8 }, () => nearestOf(0).neighbours[0]).map((each) => ({ ...each, file: LONG })),
    }),
  ),
  warnings: [LONG],
})
const records = Array.from({ length: 2000 }, (_, i) => ({
  step: i + 1,
  loss: 1 / (i + 1),
  learningRate: 1e-4,
  ...(i % 500 === 499 ? { measures: { heldOut: 0.1, heldOutSnr1: 0.2, heldOutSnr10: 0.05 } } : {}),
}))
const run = {
  name: LONG,
  state: 'training',
  steps: 4000,
  config: { [LONG]: LONG, classes: names },
  records,
  evaluations: [{ step: 1000, measures: [measureOf({ title: LONG })] }],
  grids: [{ step: 1000, title: LONG, picture: evaluation.grids[0].picture, width: 2000, height: 900 }],
  best: { step: 1000, measure: 'precision', value: 0.5 },
  warnings: [],
} as const

const pages = pagesInChromium({
  build(folder) {
    const report = join(folder, 'report')
    mkdirSync(report)
    writeFileSync(join(report, 'evaluation.html'), evaluationPage(evaluation, { command: `dit eval ${LONG}` }))
    writeFileSync(
      join(report, 'comparison.html'),
      comparisonPage(comparisonOf({ first: setOf(LONG), second: setOf(LONG) }), {
        evaluations: [evaluation, evaluation],
      }),
    )
    writeFileSync(join(report, 'run.html'), runPage(run))
    return Promise.resolve({ report })
  },
})
const { test } = pages

/** Loads a page again at a width; gives what it asked for and complained of, and how wide it is. */
async function loadAt(page: Page, width: number, colorScheme: 'light' | 'dark') {
  const requests: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.emulateMedia({ colorScheme })
  await page.setViewportSize({ width, height: 900 })
  await page.reload()
  const scrolled = await page.evaluate(() => document.documentElement.scrollWidth)
  const images = await page
    .locator('img')
    .evaluateAll((all) => all.map((image) => (image as HTMLImageElement).naturalWidth))
  return {
    others: requests.filter((url) => !url.startsWith('data:') && url !== page.url()),
    complaints,
    scrolled,
    images,
  }
}

for (const name of ['evaluation', 'comparison', 'run']) {
  test(`the ${name} page asks for nothing, complains of nothing, and fits`, async () => {
    await pages.inTab(`plain/report/${name}.html`, async (_, page) => {
      for (const [width, scheme] of [
        [1280, 'light'],
        [390, 'dark'],
      ] as const) {
        const { others, complaints, scrolled, images } = await loadAt(page, width, scheme)
        expect({ others, complaints, scrolled }).toEqual({ others: [], complaints: [], scrolled: width })
        expect(images.length).toBeGreaterThan(0)
        expect(images.every((pixels) => pixels > 0)).toBe(true)
      }
    })
  })
}

test('a page reads its own JSON, and finds the pictures that it names', async () => {
  await pages.inTab('plain/report/evaluation.html', async (_, page) => {
    const text = await page.evaluate(() => document.querySelector('#data')!.textContent)
    const data = JSON.parse(text) as Evaluation
    expect(data.classes[4].className).toBe('class 4 <script>alert(1)</script>')
    const source = await page.locator(data.grids[1].picture).getAttribute('src')
    expect(source).toBe(evaluation.grids[1].picture)
  })
})

test('the table of classes sorts by its numbers, up and down, with the keyboard', async () => {
  await pages.inTab('plain/report/evaluation.html', async (_, page) => {
    const firsts = () => page.locator('.classes tbody tr:nth-child(-n+2) td:nth-child(3)').allTextContents()
    const head = page.locator('.classes thead th').nth(2)
    await head.locator('button').focus()
    await page.keyboard.press('Enter')
    expect(await firsts()).toEqual(['1', '2'])
    expect(await head.getAttribute('aria-sort')).toBe('ascending')
    await page.keyboard.press('Enter')
    expect(await firsts()).toEqual(['1,000', '999'])
    expect(await page.locator('.classes [aria-sort]').count()).toBe(1)
  })
})

test('every text has a contrast of 4.5 with what is behind it, light and dark', async () => {
  for (const name of ['evaluation', 'comparison', 'run'])
    await pages.inTab(`plain/report/${name}.html`, async (_, page) => {
      for (const scheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: scheme })
        expect({ name, scheme, faint: await page.evaluate(faintTexts) }).toEqual({ name, scheme, faint: [] })
      }
    })
})

/** Texts of a page whose contrast is below 4.5 (WCAG 2.2, 1.4.3), by its relative luminance; runs in the page. */
function faintTexts(): string[] {
  const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = (color: string) => {
    const [r, g, b] = channels(color)
      .slice(0, 3)
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element: Element): string => {
    const color = getComputedStyle(element).backgroundColor
    const isClear = channels(color)[3] === 0
    return isClear && element.parentElement !== null ? behind(element.parentElement) : color
  }
  const faint = new Set<string>()
  for (const element of document.querySelectorAll('main *')) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent!.trim() !== '')
    if (!hasText) continue
    const style = getComputedStyle(element)
    const color = element.namespaceURI?.endsWith('svg') ? style.fill : style.color
    const [light, dark] = [luminance(color), luminance(behind(element))].toSorted((a, b) => b - a)
    if ((light + 0.05) / (dark + 0.05) < 4.5) faint.add(`${element.localName}.${element.getAttribute('class')}`)
  }
  return [...faint]
}
