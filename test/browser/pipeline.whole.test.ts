import { join } from 'node:path'
import { inflateSync } from 'node:zlib'
import { cpu } from '@dit/backend-cpu'
import { openPipeline, type SampleOptions, toPng } from '@dit/pipeline/node'
import { afterAll, beforeAll, expect } from 'vitest'
import { type Files, type ServedFolder, serveFolder } from '../../packages/pipeline/test/open/serve-folder.js'
import { savedFiles, smallModel } from '../../packages/pipeline/test/open/small-model.js'
import { buildBundledPage } from './build-pages.js'
import type { Drawn, DrawRequest } from './pages/draw.js'
import { pagesInChromium } from './pages-in-chromium.js'

// Needs a build: the page uses the packages as they are published. Node's own pictures are of the sources.
const PAGE = 'plain/bundled/pipeline.html'
const pages = pagesInChromium({
  seconds: 150,
  async build(folder) {
    const bundled = join(folder, 'bundled')
    await buildBundledPage(bundled, 'pipeline.html')
    return { bundled }
  },
})
const { test } = pages

const SAMPLE = { classes: [0, 1], steps: 10, guidance: 1.5, seed: 3 } as const satisfies SampleOptions
const CLASS_NAMES = ['disc, round', 'square']

/** What Node draws from the same file on the same kernels. */
interface InNode {
  readonly pictures: readonly number[][]
  readonly png: readonly number[]
}

const servers: ServedFolder[] = []
let file: Uint8Array
let folder: Files
let shards: Files
let ofPaper: InNode
let ofFlow: InNode
let flow: Uint8Array
beforeAll(async () => {
  if (pages.executable === undefined) return
  const model = await smallModel({ meanType: 'x0' }, {}, CLASS_NAMES)
  file = await model.save()
  folder = await savedFiles(model, '.')
  shards = await savedFiles(model, 'model.safetensors', { shardBytes: 30_000 })
  flow = await (await smallModel({ kind: 'flow' }, {}, CLASS_NAMES)).save()
  ofPaper = await inNode(file)
  ofFlow = await inNode(flow)
})
afterAll(async () => {
  for (const server of servers) await server.close()
})

async function inNode(weights: Uint8Array): Promise<InNode> {
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  const dit = await openPipeline(weights, { backend })
  const made = await dit.pictures(SAMPLE)
  const png = [...(await toPng(made[0]))]
  dit.dispose()
  await backend.dispose()
  expect(new Set(made[0].data).size).toBeGreaterThan(20) // no blank
  return { pictures: made.map(({ data }) => [...data]), png }
}

async function serve(...args: Parameters<typeof serveFolder>): Promise<ServedFolder> {
  const server = await serveFolder(...args)
  servers.push(server)
  return server
}

/** Draws in a tab of its own, which has kept no files yet. */
function draw(request: Partial<DrawRequest> & Pick<DrawRequest, 'source'>, where = 'draw'): Promise<Drawn> {
  return pages.call<Drawn>(PAGE, where, { engine: 'wasm', sample: SAMPLE, ...request })
}

test('a file behind an address makes the bytes of Node, with progress, in one request', async () => {
  const { address, asked } = await serve({ 'model.safetensors': file })
  const source = `${address}/model.safetensors`
  const drawn = await draw({ source })
  expect(drawn).toMatchObject({ error: null, classNames: CLASS_NAMES, names: CLASS_NAMES })
  expect(drawn.pictures).toEqual(ofPaper.pictures)
  expect(drawn.files).toEqual({ [source]: file.length })
  expect(drawn.steps).toEqual(Array.from({ length: 10 }, (_, i) => (i + 1) / 10))
  expect(asked).toEqual(['model.safetensors'])
})

test('a flow makes the bytes of Node, too', async () => {
  const { address } = await serve({ 'flow.safetensors': flow })
  const drawn = await draw({ source: `${address}/flow.safetensors` })
  expect(drawn.error).toBeNull()
  expect(drawn.pictures).toEqual(ofFlow.pictures)
})

test('in a Worker the pictures are the same, and so is their PNG', async () => {
  const { address } = await serve({ 'model.safetensors': file })
  const drawn = await draw({ source: `${address}/model.safetensors` }, 'drawInWorker')
  expect(drawn.error).toBeNull()
  expect(drawn.pictures).toEqual(ofPaper.pictures)
  // Browsers may deflate otherwise than Node: what is packed is the same.
  expect(rowsOf(drawn.png)).toEqual(rowsOf(ofPaper.png))
})

for (const missing of ['404', 'page'] as const) {
  test(`a folder of diffusers makes the same, from a server that answers ${missing} for what it does not have`, async () => {
    const { address, asked } = await serve(folder, missing)
    const drawn = await draw({ source: `${address}/` })
    expect(drawn).toMatchObject({ error: null, names: CLASS_NAMES })
    expect(drawn.pictures).toEqual(ofPaper.pictures)
    expect(asked).toEqual([...new Set(asked)])
    expect(asked).toContain('scheduler/scheduler_config.json')
  })
}

test('shards by their index make the same', async () => {
  const { address } = await serve(shards)
  const drawn = await draw({ source: `${address}/model.safetensors.index.json` })
  expect(drawn.error).toBeNull()
  expect(drawn.pictures).toEqual(ofPaper.pictures)
  expect(Object.keys(drawn.files).length).toBe(Object.keys(shards).length)
})

test('hf: at a revision makes the same from the host that is named, and one that is not there says where it looked', async () => {
  const files = Object.entries(folder).map(([path, bytes]) => [`mine/shapes/resolve/v1/${path}`, bytes])
  const { address: host } = await serve(Object.fromEntries(files) as Files)
  const drawn = await draw({ source: 'hf:mine/shapes@v1', host })
  expect(drawn.error).toBeNull()
  expect(drawn.pictures).toEqual(ofPaper.pictures)
  expect((await draw({ source: 'hf:mine/shapes', host })).error).toContain(
    `OpenError: hf:mine/shapes: ${host}/mine/shapes/resolve/main/ must have weights`,
  )
})

test('on WebGPU the pictures differ by a level at most', async () => {
  const { address } = await serve({ 'model.safetensors': file, 'flow.safetensors': flow })
  for (const [name, want] of [
    ['model', ofPaper],
    ['flow', ofFlow],
  ] as const) {
    const drawn = await draw({ source: `${address}/${name}.safetensors`, engine: 'webgpu' })
    expect(drawn.error).toBeNull()
    const levels = drawn.pictures.flatMap((data, i) => data.map((byte, at) => Math.abs(byte - want.pictures[i][at])))
    // The pixels are truncated, so that rounding in float32 can move one to the next level.
    expect(Math.max(...levels)).toBeLessThanOrEqual(1)
  }
})

test('a signal ends the download, and another one the steps, with its reason', async () => {
  const { address } = await serve({ 'model.safetensors': file })
  const source = `${address}/model.safetensors`
  expect(await draw({ source, abort: 'download' })).toMatchObject({
    error: 'Error: enough of the download',
    steps: [],
  })
  expect(await draw({ source, abort: 'sampling' })).toMatchObject({ error: 'Error: enough of the steps', steps: [0.1] })
})

/** The filtered rows of a PNG with one IDAT chunk. */
function rowsOf(png: readonly number[]): Buffer {
  const bytes = Buffer.from(png)
  const at = bytes.indexOf('IDAT')
  return inflateSync(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at - 4)))
}
