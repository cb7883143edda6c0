import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { cpu } from '@dit/backend-cpu'
import type { ProcessSpec } from '@dit/diffusion'
import { openPipeline } from '@dit/pipeline/node'
import { afterAll, beforeAll, expect } from 'vitest'
import { smallModel } from '../../packages/pipeline/test/open/small-model.js'
import { repositoryRoot } from '../../tools/release/workspace.js'
import { readText } from '../sources.js'
import { buildBundledPage, type Chunk, writeExamplePages } from './build-pages.js'
import { pagesInChromium } from './pages-in-chromium.js'

// Needs a build: the page of the README of @dit/pipeline, as it is there, uses the packages as they are published.
const readme = readText(join(repositoryRoot, 'packages', 'pipeline', 'README.md'))
const example = /^```html\n([\s\S]*?)^```$/m.exec(readme)![1]
const onWebGpu = example.replaceAll('cpu', 'webgpu')

/** Where the packages resolve, and other tests do not look. */
const sources = join(repositoryRoot, 'node_modules', '.cache', 'pipeline-pages')
const PROCESSES = { diffusion: { meanType: 'x0' }, flow: { kind: 'flow' } } as const satisfies Record<
  string,
  ProcessSpec
>

let chunks: Chunk[]
const weights = new Map<string, Uint8Array>()
const pages = pagesInChromium({
  seconds: 150,
  async build(folder) {
    const folders: Record<string, string> = { repository: repositoryRoot }
    for (const [name, html] of Object.entries({ wasm: example, webgpu: onWebGpu })) {
      const source = join(sources, name)
      await writeExamplePages(source, html, '../repository')
      const built = await buildBundledPage(join(folder, name), 'example.html', source)
      if (name === 'wasm') chunks = built
      await cp(join(source, 'plain.html'), join(folder, name, 'plain.html'))
      for (const [kind, process] of Object.entries(PROCESSES)) {
        const model = await smallModel(process, { inputSize: 32, patchSize: 8 })
        weights.set(kind, await model.save())
        const own = `${name}-${kind}`
        folders[own] = join(folder, own)
        await mkdir(folders[own])
        await cp(join(folder, name), folders[own], { recursive: true })
        await writeFile(join(folders[own], 'shapes.safetensors'), weights.get(kind)!)
      }
    }
    return folders
  },
})
const { test } = pages

const wanted = new Map<string, readonly number[]>()
beforeAll(async () => {
  if (pages.executable === undefined) return
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  for (const [kind, file] of weights) {
    const dit = await openPipeline(file, { backend })
    const [{ data }] = await dit.pictures({ classes: 'disc', guidance: 2, seed: 1 })
    wanted.set(kind, [...data])
    dit.dispose()
  }
  await backend.dispose()
})
afterAll(() => rm(sources, { recursive: true, force: true }))

/** What a page shows on its canvas, and the files of JavaScript that it loads for that. */
async function shown(
  path: string,
): Promise<{ readonly pixels: readonly number[]; readonly scripts: readonly string[] }> {
  return pages.inTab(path, async (_, page) => {
    const canvas = await page.waitForFunction(
      () => {
        const canvas = document.querySelector('canvas')!
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
        return data[3] === 0 ? null : [...data]
      },
      null,
      { timeout: 150_000 },
    )
    const scripts = await page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .map(({ name }) => name)
        .filter((name) => new URL(name).pathname.endsWith('.js')),
    )
    return { pixels: (await canvas.jsonValue())!, scripts }
  })
}

const largestDifference = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((byte, i) => Math.abs(byte - b[i])))

for (const kind of ['diffusion', 'flow'] as const) {
  for (const page of ['example', 'plain'] as const) {
    const how = page === 'plain' ? 'without a bundler' : 'bundled by Vite'
    test(`the page of the README, ${how}, shows what Node draws from a file of a ${kind}`, async () => {
      const { pixels } = await shown(`plain/wasm-${kind}/${page}.html`)
      expect(new Set(pixels).size).toBeGreaterThan(20)
      expect(pixels).toEqual(wanted.get(kind))
    })

    test(`and with WebGPU, ${how}, the same within a level from a file of a ${kind}`, async () => {
      const { pixels } = await shown(`plain/webgpu-${kind}/${page}.html`)
      // The pixels are truncated, so that rounding in float32 can move one to the next level.
      expect(largestDifference(pixels, wanted.get(kind)!)).toBeLessThanOrEqual(1)
    })
  }
}

/** The most that a page may download besides weights: JavaScript with the WebAssembly in it, in bytes as gzip packs them. */
const MOST_BYTES = 120_000

for (const kind of ['diffusion', 'flow'] as const) {
  test(`the page of the README downloads at most 120 kB besides the weights of a ${kind}`, async () => {
    const { scripts } = await shown(`plain/wasm-${kind}/example.html`)
    const sizes = await Promise.all(
      scripts.map(async (url) => {
        const bytes = gzipSync(new Uint8Array(await (await fetch(url)).arrayBuffer()), { level: 9 }).length
        return { bytes, chunk: chunks.find(({ file }) => url.endsWith(`/${file}`))! }
      }),
    )
    const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
    process.stdout.write(`a page of a ${kind} downloads ${total} bytes: ${breakdown(sizes)}\n`)
    expect(sizes.length).toBeGreaterThan(2)
    expect(total).toBeLessThanOrEqual(MOST_BYTES)
  })
}

/** Bytes of each package: those of a file are shared out by the lengths of its modules. */
function breakdown(sizes: readonly { readonly bytes: number; readonly chunk: Chunk }[]): string {
  const shares = new Map<string, number>()
  for (const { bytes, chunk } of sizes) {
    const all = Object.values(chunk.modules).reduce((sum, length) => sum + length, 0)
    for (const [id, length] of Object.entries(chunk.modules)) {
      const name = ownerOf(id)
      shares.set(name, (shares.get(name) ?? 0) + (bytes * length) / all)
    }
  }
  return [...shares]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, bytes]) => `${name} ${Math.round(bytes)}`)
    .join(', ')
}

function ownerOf(id: string): string {
  if (/\/wasm\/modules\//.test(id)) return 'WebAssembly'
  const [, ours, other] = /\/packages\/([^/]+)\/|\/node_modules\/([^/.][^/]*)\//.exec(id) ?? []
  return ours ?? other ?? 'the page'
}
