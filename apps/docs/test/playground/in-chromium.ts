import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { cpu } from '@dit/backend-cpu'
import { openPipeline, type Pipeline, type PictureData, type SampleOptions, toPng } from '@dit/pipeline/node'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { blankPicture, paintLine } from '../../src/playground/paint.js'
import { type Site, type VisitOptions, violations } from '../site-in-chromium.js'
import { textsOf } from './read-png.js'

const LINK = '#model=heroes&class=orc&seed=5&count=4&guidance=2&steps=6&solver=dpmpp-2m'
const WAIT = { timeout: 150_000 }
/** Chromium says so where a page asks for WebGPU and there is no card, and where tests read a canvas twice. */
const NO_CARD: VisitOptions = { expected: /No available adapters|willReadFrequently/ }

/** The same, without a service worker, which would answer before the tests can. */
const NO_WORKER: VisitOptions = {
  expected: /No available adapters|willReadFrequently|registration blocked|ERR_FAILED|404/,
  serviceWorkers: 'block',
}

const status = (page: Page) => page.locator('.play-status')
const problems = (page: Page) => page.locator('.play-problems')

/** Waits until pictures are drawn to the end; returns what the canvases hold, RGBA. */
async function drawn(page: Page, what = 'Drawn: '): Promise<number[][]> {
  await expect.poll(() => status(page).textContent(), WAIT).toContain(what)
  await page.locator('.play-pictures[aria-busy=false]').waitFor(WAIT)
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLCanvasElement>('.play-pictures canvas')].map((canvas) => [
      ...canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data,
    ]),
  )
}

/** What Node draws with the same weights. */
async function inNode(site: Site, options: SampleOptions): Promise<number[][]> {
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  const dit: Pipeline = await openPipeline(site.model, { backend })
  const pictures = await dit.pictures(options)
  dit.dispose()
  await backend.dispose()
  return pictures.map(({ data }) => [...data])
}

/** Tests of the playground on the finished site. */
export function playgroundTests(site: Site): void {
  const { test, visit } = site
  const open = (hash: string, look: (page: Page) => Promise<void>, options: VisitOptions = NO_CARD) =>
    visit(`playground.html${hash}`, look, options)

  test('the playground draws what Node draws with the same seed, and says what computes', async () => {
    const wanted = await inNode(site, { labels: [1, 1, 1, 1], guidance: 2, steps: 6, sampler: 'dpmpp-2m', seed: 5 })
    expect(new Set(wanted[0]).size).toBeGreaterThan(20)
    await open(LINK, async (page) => {
      expect(await drawn(page)).toEqual(wanted)
      expect(await status(page).textContent()).toBe('Drawn: heroes: orc, 4 pictures, seed 5.')
      expect(await page.locator('.play-engine').textContent()).toMatch(/^Computed by WebAssembly, /)
      expect(await page.getByRole('img', { name: 'orc, seed 5, picture 3' }).count()).toBe(1)
      expect(await problems(page).textContent()).toBe('')
    })
  })

  test('it draws at once; the keyboard changes class, seed and guidance, and the link repeats what it shows', async () => {
    let link = ''
    let shown: number[][] = []
    await open('', async (page) => {
      const first = await drawn(page, 'Drawn: heroes: classes at random, 4 pictures, seed 1.')
      await page.getByRole('radio', { name: 'orc' }).focus()
      await page.keyboard.press('ArrowRight')
      await drawn(page, 'Drawn: heroes: troll, 4 pictures, seed 1.')
      await page.getByRole('slider', { name: 'Guidance' }).focus()
      await page.keyboard.press('ArrowRight')
      await page.getByRole('button', { name: 'Other noise' }).press('Enter')
      shown = await drawn(page, 'Drawn: heroes: troll, 4 pictures, seed 2.')
      expect(shown).not.toEqual(first)
      link = new URL(page.url()).hash
      expect(link).toContain('class=troll&seed=2&count=4&guidance=1.5&')
    })
    await open(link, async (page) => expect(await drawn(page)).toEqual(shown))
    // A link that is followed on the page itself.
    await open(LINK, async (page) => {
      await drawn(page)
      await page.evaluate((hash) => {
        location.hash = hash
      }, link)
      expect(await drawn(page, 'troll, 4 pictures, seed 2')).toEqual(shown)
    })
  })

  test('a saved PNG has the link that repeats it', async () => {
    await open(LINK, async (page) => {
      await drawn(page)
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Save as PNG' }).click(),
      ])
      expect(download.suggestedFilename()).toBe('heroes-orc-seed-5.png')
      const texts = textsOf(await readFile(await download.path()))
      expect(texts['Source']).toBe(page.url())
      expect(new URL(texts['Source']).hash).toBe(LINK)
      expect(texts['Description']).toContain(
        'heroes: orc, 4 pictures, seed 5, guidance 2, 6 steps of dpmpp-2m; WebAssembly',
      )
    })
  })

  test('pictures come out of the noise step by step, unless less motion is asked for', async () => {
    for (const [reducedMotion, isLive] of [
      ['no-preference', true],
      ['reduce', false],
    ] as const) {
      await open(
        LINK,
        async (page) => {
          await drawn(page)
          await page.evaluate(() => {
            const looks = new Set<string>()
            Object.assign(globalThis, { looks })
            const look = () => {
              looks.add(document.querySelector<HTMLCanvasElement>('.play-pictures canvas')!.toDataURL())
              requestAnimationFrame(look)
            }
            look()
            location.hash = location.hash.replace('steps=6', 'steps=100').replace('seed=5', 'seed=6')
          })
          await drawn(page, 'seed 6.')
          const looks = await page.evaluate(() => (globalThis as unknown as { looks: Set<string> }).looks.size)
          // Two are what was there before, and the end.
          expect(looks > 2, `${looks} looks with ${reducedMotion}`).toBe(isLive)
        },
        { ...NO_CARD, reducedMotion },
      )
    }
  })

  test('Stop ends what is in work, and Draw begins again', async () => {
    await open(LINK, async (page) => {
      await drawn(page)
      await page.evaluate(() => {
        const said = document.querySelector('.play-status')!
        new MutationObserver((_, observer) => {
          if (!said.textContent.startsWith('Drawing heroes: orc, 16')) return
          observer.disconnect()
          const buttons = [...document.querySelectorAll('button')]
          buttons.find(({ textContent }) => textContent === 'Stop')!.click()
        }).observe(said, { characterData: true, childList: true, subtree: true })
        location.hash = location.hash.replace('steps=6', 'steps=100').replace('count=4', 'count=16')
      })
      await expect.poll(() => status(page).textContent(), WAIT).toBe('Stopped.')
      await page.getByRole('button', { name: 'Draw', exact: true }).click()
      expect(await drawn(page, 'Drawn: heroes: orc, 16 pictures')).toHaveLength(16)
    })
  })

  test('it says what is wrong with a link, with an engine and with a site, and what to do', async () => {
    await open('#model=heroes&class=dwarf&guidance=99', async (page) => {
      await drawn(page, 'Drawn: heroes: classes at random')
      expect(await problems(page).textContent()).toBe(
        'The link asks for guidance 99, but it must be 0 to 8: 1.25 is taken.' +
          'The model has no class dwarf: classes are drawn at random.',
      )
      expect(await violations(page)).toEqual([])
    })
    await open(`${LINK}&engine=webgpu`, async (page) => {
      await expect
        .poll(() => problems(page).textContent(), WAIT)
        .toMatch(/^There is no WebGPU here: .* Choose WebAssembly/)
      await page.getByRole('radio', { name: 'WebAssembly' }).check({ force: true })
      await drawn(page)
    })
    await open(
      '',
      async (page) => {
        await page.route('**/models/index.json', (route) => route.fulfill({ json: { models: [] } }))
        await page.reload()
        await expect.poll(() => problems(page).textContent(), WAIT).toContain('This site was built without a model')
        await page.unroute('**/models/index.json')
        await page.route('**/models/index.json', (route) => route.abort())
        await page.reload()
        await expect
          .poll(() => problems(page).textContent(), WAIT)
          .toMatch(/^The list of models did not load: .* Check the connection, then reload the page\.$/)
      },
      NO_WORKER,
    )
    await open(
      '',
      async (page) => {
        const gone = { models: [{ name: 'heroes', file: 'heroes-gone.safetensors', bytes: 1 }] }
        await page.route('**/models/index.json', (route) => route.fulfill({ json: gone }))
        await page.reload()
        await expect
          .poll(() => problems(page).textContent(), WAIT)
          .toMatch(/^The weights of this model are not there: .*heroes-gone\.safetensors gave 404/)
      },
      NO_WORKER,
    )
  })

  test('with pictures it has no violation in light and dark, and fits a phone', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1280, 390]) {
        await open(
          LINK,
          async (page) => {
            await drawn(page)
            expect(await violations(page), `${colorScheme}, ${width}`).toEqual([])
            expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
          },
          { ...NO_CARD, colorScheme, viewport: { width, height: 900 } },
        )
      }
    }
  })

  test('a drawing by keyboard and a file are what sampling starts from, also behind the link', async () => {
    const rest = { labels: [1, 1, 1, 1], guidance: 2, steps: 6, sampler: 'dpmpp-2m', seed: 5 } as const
    const drawing = blankPicture(32, [71, 68, 92])
    paintLine(drawing, [16, 17], [16, 17], { size: 2, colour: [220, 180, 60] })
    const file = gradient()
    const [fromDrawing, fromFile] = [
      await inNode(site, { ...rest, image: drawing, strength: 0.6 }),
      await inNode(site, { ...rest, image: file, strength: 0.65 }),
    ]
    let link = ''
    await open(LINK, async (page) => {
      await drawn(page)
      await page.getByRole('radio', { name: 'a drawing or a picture' }).check({ force: true })
      await drawn(page, 'seed 5, from a picture with strength 0.6.')
      await page.getByRole('application').focus()
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Space')
      await expect.poll(() => drawn(page), WAIT).toEqual(fromDrawing)
      expect(await page.getByText('Column 17, row 18 of 32').count()).toBe(1)

      await page.getByLabel('Or a picture of yours').setInputFiles({
        name: 'notes.txt',
        mimeType: 'text/plain',
        buffer: Buffer.from('no picture'),
      })
      await page.getByText('notes.txt is no picture that this browser can read. Try a PNG, JPEG or WebP.').waitFor(WAIT)
      await page.getByLabel('Or a picture of yours').setInputFiles({
        name: 'gradient.png',
        mimeType: 'image/png',
        buffer: Buffer.from(await toPng(file)),
      })
      await page.getByRole('slider', { name: 'Strength' }).focus()
      await page.keyboard.press('ArrowRight')
      await drawn(page, 'with strength 0.65.')
      await expect.poll(() => drawn(page), WAIT).toEqual(fromFile)
      expect(await violations(page)).toEqual([])
      link = new URL(page.url()).hash
    })
    await open(link, async (page) => expect(await drawn(page)).toEqual(fromFile))
    await open(`${LINK}&strength=0.5&start=AAAA`, async (page) => {
      await drawn(page)
      expect(await problems(page).textContent()).toBe(
        'The picture to start from is none of 32 x 32 pixels: noise is taken in its place.',
      )
    })
  })

  test('after the first visit it draws without a network, with threads and the same pictures', async () => {
    await open(
      LINK,
      async (page) => {
        const first = await drawn(page)
        expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
        await page.getByText('The playground is kept for use without a network.').waitFor(WAIT)
        site.server.isGone = true
        try {
          await page.getByRole('button', { name: 'Reload for more threads' }).click()
          await expect.poll(() => page.evaluate(() => crossOriginIsolated), WAIT).toBe(true)
          expect(await drawn(page)).toEqual(first)
          expect(await page.locator('.play-engine').textContent()).toMatch(/^Computed by WebAssembly, \d+ threads/)
        } finally {
          site.server.isGone = false
        }
      },
      // Of what the page would like to have at hand, such as pages that it links to.
      { expected: /No available adapters|willReadFrequently|ERR_/ },
    )
  })

  test('without the model it loads less than 300 kB, compressed', async () => {
    site.server.requests.length = 0
    await open(
      LINK,
      async (page) => {
        await drawn(page)
      },
      NO_WORKER,
    )
    const files = [...new Set(site.server.requests)].filter((path) => !path.endsWith('.safetensors'))
    const sizes = files.map((path) => gzipSync(readFileSync(join(site.folder, path))).length)
    const total = sizes.reduce((sum, size) => sum + size, 0)
    process.stdout.write(`the playground loads ${files.length} files, ${total} bytes compressed, without its model\n`)
    expect(total).toBeLessThan(300_000)
  })
}

/** A picture of the model's size with many colours, RGBA. */
function gradient(): PictureData {
  const data = Uint8ClampedArray.from({ length: 32 * 32 * 4 }, (_, i) => {
    const [x, y] = [(i >> 2) % 32, i >> 7]
    return [8 * x, 8 * y, 4 * (x + y), 255][i % 4]
  })
  return { width: 32, height: 32, data }
}
