// How soon the playground draws, and whether the page stays responsive meanwhile: `npm run docs`, then `npm run bench:page`.
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { site } from '../../apps/docs/src/build/paths.js'
import { serveSite } from '../../apps/docs/test/serve-site.js'
import { findChromium, startChromium } from '../../test/browser/chromium.js'
import { currentLoad, describeMachine, machineText } from '../machine.js'
import { median } from '../statistics.js'
import { type MainThread, mainThreadOf } from './main-thread.js'

const USAGE = `npm run bench:page -- [--rounds 5] [--hash '#count=1&steps=10'] [--json FILE]

Opens the playground of the built site in Chromium, each time in a new browser with nothing in its cache, on WebAssembly with one thread,
and tells how long the first pictures took since the page was asked for; then draws others and looks at the tasks of the main thread.

  --rounds N   visits (default 5)
  --hash TEXT  settings of the playground, as in its links
  --json FILE  writes the results`

/** What one visit saw. */
interface Visit {
  /** From the navigation until the pictures were complete. */
  readonly firstPicturesMs: number
  /** The same for the next pictures, when everything is there. */
  readonly nextPicturesMs: number
  readonly mainThread: MainThread
}

const WAIT = { timeout: 120_000 }

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`bench:page: ${(error as Error).message}`)
  return 1
})

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      hash: { type: 'string', default: '' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const rounds = Number(values.rounds)
  if (values.help || !Number.isSafeInteger(rounds) || rounds < 1) {
    console.log(USAGE)
    return values.help ? 0 : 2
  }
  const chromium = findChromium()
  if (chromium === undefined) throw new Error('there is no Chromium here')
  if (!existsSync(join(site, 'playground.html'))) throw new Error('the site is not built; run: npm run docs')
  const machine = describeMachine()
  const load = currentLoad()
  console.log(`${machineText(machine)}\nload ${load.toFixed(2)}`)
  const server = await serveSite(site, '/')
  const visits: Visit[] = []
  const files: string[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      const visit = await visitPlayground(chromium, `${server.origin}/playground.html${values.hash}`, () => {
        // Afterwards a service worker asks for all that the page may need without a network.
        if (files.length === 0) files.push(...new Set(server.requests))
      })
      visits.push(visit)
      const { firstPicturesMs, nextPicturesMs, mainThread } = visit
      console.log(
        `visit ${round + 1}: first pictures ${(firstPicturesMs / 1000).toFixed(2)} s, next ${(nextPicturesMs / 1000).toFixed(2)} s, ` +
          `${mainThread.numTasks} tasks, ${mainThread.numLong} of them of 50 ms or more, longest ${mainThread.longestMs.toFixed(0)} ms`,
      )
    }
  } finally {
    await server.close()
  }
  const bytes = (isModel: boolean) =>
    files
      .filter((path) => path.endsWith('.safetensors') === isModel)
      .reduce((sum, path) => sum + gzipSync(readFileSync(join(site, path))).length, 0)
  const result = {
    date: new Date().toISOString(),
    machine,
    load,
    hash: values.hash,
    visits,
    medianFirstPicturesMs: median(visits.map(({ firstPicturesMs }) => firstPicturesMs)),
    shareOfShortTasks: Math.min(...visits.map(({ mainThread: { numTasks, numLong } }) => 1 - numLong / numTasks)),
    pageBytes: bytes(false),
    modelBytes: bytes(true),
  }
  console.log(
    `median of ${rounds}: first pictures after ${(result.medianFirstPicturesMs / 1000).toFixed(2)} s; least share of tasks below 50 ms ` +
      `${(100 * result.shareOfShortTasks).toFixed(2)} %; the page ${(result.pageBytes / 1000).toFixed(0)} kB compressed, its model ${(result.modelBytes / 1000).toFixed(0)} kB`,
  )
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`)
  return 0
}

async function visitPlayground(chromium: string, url: string, onFirstPictures: () => void): Promise<Visit> {
  const browser = await startChromium(chromium, 'none')
  try {
    const page = await browser.newPage()
    await page.goto(url, { waitUntil: 'commit' })
    const firstPicturesMs = await drawn(page, '')
    onFirstPictures()
    const before = await page.locator('.play-status').textContent()
    // Offline copies are made after the first pictures; they are not what is measured next.
    await page.waitForLoadState('networkidle')
    await browser.startTracing(page, { categories: ['toplevel'] })
    const began = await page.evaluate(() => performance.now())
    await page.getByRole('button', { name: 'Other noise' }).click()
    const ended = await drawn(page, before ?? '')
    const trace = await browser.stopTracing()
    return { firstPicturesMs, nextPicturesMs: ended - began, mainThread: mainThreadOf(trace.toString()) }
  } finally {
    await browser.close()
  }
}

/** Waits until the page says that pictures are drawn, other ones than `before`; milliseconds since its navigation. */
function drawn(page: Page, before: string): Promise<number> {
  return page
    .waitForFunction(
      (last) => {
        const text = document.querySelector('.play-status')?.textContent ?? ''
        return text.startsWith('Drawn: ') && text !== last ? performance.now() : 0
      },
      before,
      { ...WAIT, polling: 'raf' },
    )
    .then(async (handle) => handle.jsonValue())
}
