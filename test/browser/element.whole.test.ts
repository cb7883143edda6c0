import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { cpu } from '@dit/backend-cpu'
import { openPipeline } from '@dit/pipeline/node'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { smallModel } from '../../packages/pipeline/test/open/small-model.js'
import { repositoryRoot } from '../../tools/release/workspace.js'
import { readText } from '../sources.js'
import { buildBundledPage, writeExamplePages } from './build-pages.js'
import { startChromium } from './chromium.js'
import { pagesInChromium } from './pages-in-chromium.js'

// Needs a build: the page of the README of @dit/browser, as it is there.
const readme = readText(join(repositoryRoot, 'packages', 'browser', 'README.md'))
const example = /^```html\n([\s\S]*?)^```$/m.exec(readme)![1]
const axe = readText(createRequire(join(repositoryRoot, 'apps', 'docs', 'package.json')).resolve('axe-core/axe.min.js'))

/** Where the packages resolve, and other tests do not look. */
const sources = join(repositoryRoot, 'node_modules', '.cache', 'element-pages')
const ELEMENT = '<script type="module" src="../repository/packages/browser/dist/element/index.js"></script>'
/** A whole page without an import map, around an element. */
const bare = (html: string) =>
  `<!doctype html><html lang="en"><meta charset="utf-8" /><meta name="viewport" content="width=device-width" />
<title>An element that draws</title><link rel="icon" href="data:," /><style>:root { color-scheme: light dark }</style>
${ELEMENT}<main><h1>Pictures</h1>${html}</main></html>`

const PAGES = {
  bare: bare('<dit-sampler src="shapes.safetensors" class="disc" steps="20" guidance="2" seed="1"></dit-sampler>'),
  click: bare('<dit-sampler src="shapes.safetensors" count="2" steps="4" draw="click" size="96"></dit-sampler>'),
  nothing: bare('<dit-sampler></dit-sampler>'),
  class: bare('<dit-sampler src="shapes.safetensors" class="dics"></dit-sampler>'),
  steps: bare('<dit-sampler src="shapes.safetensors" steps="many"></dit-sampler>'),
  missing: bare('<dit-sampler src="missing.safetensors"></dit-sampler>'),
  webgpu: bare('<dit-sampler src="shapes.safetensors" class="disc" steps="2" engine="webgpu"></dit-sampler>'),
}

let file: Uint8Array
const pages = pagesInChromium({
  async build(folder) {
    file = await (await smallModel({ meanType: 'x0' }, { inputSize: 32, patchSize: 8 })).save()
    const [built, plain] = ['built', 'plain'].map((name) => join(folder, name))
    await writeExamplePages(sources, example, '../repository')
    await buildBundledPage(built, 'example.html', sources)
    await mkdir(plain)
    await writeFile(join(plain, 'example.html'), await readFile(join(sources, 'plain.html')))
    for (const [name, html] of Object.entries(PAGES)) await writeFile(join(plain, `${name}.html`), html)
    for (const place of [built, plain]) await writeFile(join(place, 'shapes.safetensors'), file)
    return { built, plain, repository: repositoryRoot }
  },
})
const { test } = pages

/** What Node draws from the same file. */
let wanted: readonly number[]
beforeAll(async () => {
  if (pages.executable === undefined) return
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  const dit = await openPipeline(file, { backend })
  const [{ data }] = await dit.pictures({ classes: 'disc', steps: 20, guidance: 2, seed: 1 })
  wanted = [...data]
  dit.dispose()
  await backend.dispose()
})
afterAll(() => rm(sources, { recursive: true, force: true }))

type Element = HTMLElement & {
  readonly picture: { readonly data: Uint8ClampedArray } | null
  readonly pictures: readonly unknown[]
  readonly isDrawing: boolean
  seed: number | null
  draw(): Promise<unknown>
  download(): Promise<void>
}

/** Waits until the element has drawn or failed, and tells what it shows. */
async function shown(page: Page) {
  await page.waitForFunction(() => {
    const element = document.querySelector<Element>('dit-sampler')
    const status = element?.shadowRoot?.querySelector<HTMLElement>('[part=status]')
    return element?.isDrawing === false && (element.picture !== null || status?.dataset['kind'] === 'error')
  })
  return page.evaluate(() => {
    const element = document.querySelector<Element>('dit-sampler')!
    const part = (name: string) => element.shadowRoot!.querySelector<HTMLElement>(`[part=${name}]`)!
    const canvas = part('picture') as HTMLCanvasElement
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
    return {
      pixels: [...data],
      picture: element.picture === null ? null : [...element.picture.data],
      size: [canvas.width, canvas.height],
      width: canvas.getBoundingClientRect().width,
      label: canvas.getAttribute('aria-label'),
      status: part('status').textContent,
      button: part('button').textContent,
      seed: element.getAttribute('seed'),
      scripts: performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname),
    }
  })
}

const visit = <Result>(path: string, look: (page: Page) => Promise<Result>, context?: Browser | BrowserContext) =>
  pages.inTab(
    path,
    (_, page) => {
      page.setDefaultTimeout(120_000)
      return look(page)
    },
    context,
  )

for (const [how, path] of [
  ['bundled by Vite', 'plain/built/example.html'],
  ['with an import map', 'plain/plain/example.html'],
  ['with nothing but the file of the element', 'plain/plain/bare.html'],
]) {
  test(`an element shows what Node draws with the same seed, ${how}`, async () => {
    const { pixels, picture, ...told } = await visit(path, shown)
    expect(new Set(pixels).size).toBeGreaterThan(20)
    expect(pixels).toEqual(wanted)
    expect(picture).toEqual(wanted)
    expect(told).toMatchObject({ size: [32, 32], button: 'Draw another', label: 'disc, drawn with seed 1' })
    expect(told.status).toMatch(/^disc, seed 1\. Drawn by WebAssembly, one thread: .*WebGPU/)
  })
}

test('the main thread stays free while an element draws', async () => {
  const tasks = await visit('plain/plain/click.html', async (page) => {
    await page.evaluate(() => {
      const found: number[] = []
      Object.assign(globalThis, { found })
      new PerformanceObserver((list) => found.push(...list.getEntries().map(({ duration }) => duration))).observe({
        type: 'longtask',
        buffered: false,
      })
      document.querySelector('dit-sampler')!.setAttribute('steps', '50')
    })
    await page.getByRole('button', { name: 'Draw' }).click()
    await shown(page)
    return page.evaluate(() => (globalThis as unknown as { found: number[] }).found)
  })
  // How long they are says as much of the machine as of the code: it is told, not judged.
  process.stdout.write(
    `tasks above 50 ms on the main thread while an element drew 50 steps: ${tasks.length} (${tasks.join(', ')} ms)\n`,
  )
  expect(tasks).toBeInstanceOf(Array)
})

test('the keyboard draws, again with the next seed, and stops; events and the denoising tell of it', async () => {
  await visit('plain/plain/click.html', async (page) => {
    await page.evaluate(() => {
      const events: string[] = []
      const looks = new Set<string>()
      Object.assign(globalThis, { events, looks })
      document.addEventListener(
        'dit-progress',
        ({ target, detail }: CustomEventInit & { target: EventTarget | null }) => {
          if (detail.phase === 'drawing') events.push(`${detail.done} of ${detail.total}`)
          const canvas = (target as Element).shadowRoot!.querySelector('canvas')!
          looks.add(canvas.toDataURL())
        },
      )
      document.addEventListener('dit-picture', ({ detail }: CustomEventInit) => {
        events.push(`seed ${detail.seed}: ${detail.pictures.length} pictures by ${detail.engine.kind}`)
      })
    })
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    const first = await shown(page)
    // Two of each of two classes, in a grid, on 96 CSS pixels.
    expect(first).toMatchObject({ size: [64, 64], width: 96, label: 'disc, square, drawn with seed 0', seed: null })
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => document.querySelector('dit-sampler')!.getAttribute('seed') === '1')
    const second = await shown(page)
    expect(second).toMatchObject({ label: 'disc, square, drawn with seed 1', seed: '1' })
    expect(second.pixels).not.toEqual(first.pixels)
    const { events, looks } = await page.evaluate(() => {
      const { events, looks } = globalThis as unknown as { events: string[]; looks: Set<string> }
      return { events, looks: looks.size }
    })
    const steps = [1, 2, 3, 4].map((step) => `${step} of 4`)
    expect(events).toEqual([...steps, 'seed 0: 4 pictures by wasm', ...steps, 'seed 1: 4 pictures by wasm'])
    // At least: nothing, the first step and the end of the first run, the first step of the second.
    expect(looks).toBeGreaterThanOrEqual(4)

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.evaluate(() => document.querySelector<Element>('dit-sampler')!.download()),
    ])
    expect(download.suggestedFilename()).toBe('pictures-seed-1.png')
    const saved = await readFile(await download.path())
    expect([...saved.subarray(1, 4)]).toEqual([...new TextEncoder().encode('PNG')])

    await page.evaluate(() => document.querySelector('dit-sampler')!.setAttribute('steps', '1000'))
    await page.getByRole('button', { name: 'Stop' }).press('Enter')
    const stopped = await shown(page)
    expect(stopped).toMatchObject({ status: 'Stopped.', button: 'Draw another' })
  })
})

test('with less motion on request it shows the finished picture only', async () => {
  const context = await pages.browser.newContext({ reducedMotion: 'reduce' })
  try {
    await visit(
      'plain/plain/click.html',
      async (page) => {
        await page.evaluate(() => {
          const looks = new Set<string>()
          Object.assign(globalThis, { looks })
          document.addEventListener('dit-progress', ({ target }) => {
            looks.add((target as Element).shadowRoot!.querySelector('canvas')!.toDataURL())
          })
        })
        await page.getByRole('button', { name: 'Draw' }).click()
        expect((await shown(page)).label).toBe('disc, square, drawn with seed 0')
        expect(await page.evaluate(() => (globalThis as unknown as { looks: Set<string> }).looks.size)).toBe(1)
      },
      context,
    )
  } finally {
    await context.close()
  }
})

for (const [name, text] of [
  ['nothing', /^there is no model to draw from: set src to the address of its weights/],
  ['class', /^class: the model has no class dics; did you mean disc\?.*the classes are disc, square$/],
  ['steps', /^steps must be a number \(got many\)\.$/],
  [
    'missing',
    /^The model did not load: .*missing\.safetensors gave 404 Not Found\. Check the address and the connection, then draw again\.$/,
  ],
] as const) {
  test(`an element says what is wrong and what to do: ${name}`, async () => {
    const { status, button, picture } = await visit(`plain/plain/${name}.html`, shown)
    expect(status).toMatch(text)
    expect({ button, picture }).toEqual({ button: 'Draw', picture: null })
  })
}

test('where there is no WebGPU an element that insists on it names auto; auto draws', async () => {
  const browser = await startChromium(pages.executable!, 'none')
  try {
    await visit(
      'plain/plain/webgpu.html',
      async (page) => {
        expect((await shown(page)).status).toMatch(/^webgpu: .* With engine="auto" the element draws without WebGPU\.$/)
        await page.evaluate(() => document.querySelector('dit-sampler')!.setAttribute('engine', 'auto'))
        await page.waitForFunction(() => document.querySelector<Element>('dit-sampler')!.picture !== null)
        expect((await shown(page)).status).toMatch(/^disc, seed 0\. Drawn by WebAssembly, one thread: /)
      },
      browser,
    )
  } finally {
    await browser.close()
  }
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing at WCAG 2.1 A and AA, ${colorScheme}, with a picture and with an error`, async () => {
    const context = await pages.browser.newContext({ colorScheme })
    try {
      for (const name of ['bare', 'class']) {
        await visit(
          `plain/plain/${name}.html`,
          async (page) => {
            await shown(page)
            await page.evaluate(axe)
            const violations = await page.evaluate(async () => {
              const { axe } = globalThis as unknown as {
                axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
              }
              const { violations } = await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })
              return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
            })
            expect(violations, name).toEqual([])
          },
          context,
        )
      }
    } finally {
      await context.close()
    }
  })
}
