import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { reference } from '@dit/tensor'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { openPipeline, OpenError, type OpenPipelineOptions, type Pipeline } from '../../src/index.js'
import { savedFiles, smallModel } from './small-model.js'
import { type Files, type ServedFolder, serveFolder } from './serve-folder.js'

const SAMPLE = { classes: 'square', steps: 3, sampler: 'ddim', guidance: 1.5 } as const
const backend = reference()

let model: Pick<Pipeline, 'classNames'>
let file: Uint8Array
let folder: Files
let wanted: Uint8ClampedArray
beforeAll(async () => {
  const made = await smallModel()
  model = made
  file = await made.save()
  folder = await savedFiles(made, '.')
  const [picture] = await made.pictures(SAMPLE)
  wanted = picture.data
})

const served: ServedFolder[] = []
afterEach(async () => {
  for (const server of served.splice(0)) await server.close()
})
async function serve(...args: Parameters<typeof serveFolder>): Promise<ServedFolder> {
  const server = await serveFolder(...args)
  served.push(server)
  return server
}

async function pictureOf(source: string | URL, options: OpenPipelineOptions = {}) {
  const dit = await openPipeline(source, { backend, ...options })
  const [{ data, className }] = await dit.pictures(SAMPLE)
  dit.dispose()
  return { data, className }
}

test('the model of these tests is no blank', () => {
  expect(model.classNames).toEqual(['disc', 'square'])
  expect(new Set(wanted).size).toBeGreaterThan(20)
})

test('an address of a file is opened with one request, and makes the same picture', async () => {
  const { address, asked } = await serve({ 'of mine/a+b.safetensors': file })
  const url = new URL(`${address}/of mine/a+b.safetensors?token=1`)
  expect(await pictureOf(url)).toEqual({ data: wanted, className: 'square' })
  expect(asked).toEqual(['of mine/a+b.safetensors'])
})

for (const missing of ['404', 'page'] as const) {
  test(`an address of a folder is opened with each file asked for once, from a server that answers ${missing} for others`, async () => {
    const { address, asked } = await serve(folder, missing)
    for (const url of [address, `${address}/`]) {
      asked.length = 0
      expect(await pictureOf(url)).toEqual({ data: wanted, className: 'square' })
      expect(asked).toEqual([...new Set(asked)])
    }
  })
}

test('an address of the index of shards, and of a folder with them', async () => {
  const made = await smallModel()
  const shards = await savedFiles(made, 'model.safetensors', { shardBytes: 20_000 })
  expect(Object.keys(shards).length).toBeGreaterThan(2)
  const { address } = await serve(shards)
  expect((await pictureOf(`${address}/model.safetensors.index.json`)).data).toEqual(wanted)
  expect((await pictureOf(`${address}/`)).data).toEqual(wanted)
  const part = Object.keys(shards).find((name) => name.includes('-00002-of-'))!
  await expect(pictureOf(`${address}/${part}`)).rejects.toThrow(
    `is only one of ${Object.keys(shards).length - 1} files; give their index ${address}/model.safetensors.index.json, or their folder`,
  )
})

test('hf: takes owner, name and revision from the host that is named', async () => {
  const at = (revision: string) =>
    Object.fromEntries(
      Object.entries(folder).map(([path, bytes]) => [`mine/shapes/resolve/${revision}/${path}`, bytes]),
    )
  const { address, asked } = await serve({ ...at('v1/a'), ...at('main') })
  const fetch = { host: `${address}/` }
  expect(await pictureOf('hf:mine/shapes', { fetch })).toEqual({ data: wanted, className: 'square' })
  expect(asked.every((path) => path.startsWith('mine/shapes/resolve/main/'))).toBe(true)
  expect((await pictureOf('hf:mine/shapes@v1/a', { fetch })).data).toEqual(wanted)
  await expect(pictureOf('hf:mine/shapes@v2', { fetch })).rejects.toThrow(
    `hf:mine/shapes@v2: ${address}/mine/shapes/resolve/v2/ must have weights`,
  )
})

test('a reference or an address that is none is an OpenError that says what it must be', async () => {
  for (const [source, problem] of [
    ['hf:shapes', /^hf:shapes: a reference must be hf:owner\/name/],
    ['hf:mine/shapes@', /revision must be a branch/],
    [
      'shapes.safetensors',
      /^shapes.safetensors is no address; paths of files and folders are for @dit\/pipeline\/node/,
    ],
  ] as const) {
    const error: unknown = await openPipeline(source, { backend }).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(OpenError)
    expect((error as Error).message).toMatch(problem)
  }
})

test('a file that is not there is an error that says how the server answered', async () => {
  const missing = await serve({})
  await expect(pictureOf(`${missing.address}/a.safetensors`)).rejects.toThrow('/a.safetensors gave 404 Not Found')
  const app = await serve({}, 'page')
  await expect(pictureOf(`${app.address}/a.safetensors`)).rejects.toThrow('/a.safetensors gave text/html, a page')
  await expect(pictureOf(`${app.address}/models/`)).rejects.toThrow(/models\/ must have weights/)
})

test('a pipeline of a hub is opened with its scheduler and its autoencoder, whose weights wait for the first picture', async () => {
  const pipeline = fileURLToPath(new URL('../../../../test/fixtures/pipeline/', import.meta.url))
  const paths = (await readdir(pipeline, { recursive: true })).filter((path) => /\.(json|safetensors)$/.test(path))
  const files = await Promise.all(
    paths.map(async (path) => [`a/b/resolve/main/${path}`, await readFile(join(pipeline, path))] as const),
  )
  const { address, asked } = await serve(Object.fromEntries(files))
  const dit = await openPipeline('hf:a/b', { backend, fetch: { host: address } })
  expect(dit.model.autoencoder?.name).toBe(`${address}/a/b/resolve/main/vae/`)
  expect(dit.model.scheduler?.path).toBe(`${address}/a/b/resolve/main/scheduler/scheduler_config.json`)
  expect(asked).not.toContain('a/b/resolve/main/vae/diffusion_pytorch_model.safetensors')
  const [{ width, data }] = await dit.pictures({ labels: [3], steps: 2 })
  expect([width, new Set(data).size > 20]).toEqual([8, true])
  expect(asked).toEqual([...new Set(asked)])
  dit.dispose()
})

test('what a page holds itself is an address, too', async () => {
  const data = `data:application/octet-stream;base64,${Buffer.from(file).toString('base64')}`
  expect((await pictureOf(data)).data).toEqual(wanted)
  const blob = URL.createObjectURL(new Blob([file as Uint8Array<ArrayBuffer>]))
  expect((await pictureOf(blob)).data).toEqual(wanted)
  URL.revokeObjectURL(blob)
})

test('progress tells of which file and how far, and a signal ends the download', async () => {
  const { address } = await serve(folder)
  const seen: { url: string; bytes: number; total: number | null }[] = []
  await pictureOf(address, { fetch: { onProgress: (progress) => seen.push(progress) } })
  const weights = 'diffusion_pytorch_model.safetensors'
  const last = seen.filter(({ url }) => url === `${address}/${weights}`).at(-1)!
  expect(last).toMatchObject({ bytes: folder[weights].length, total: folder[weights].length })
  const controller = new AbortController()
  const fetch = { signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) }
  await expect(pictureOf(address, { fetch })).rejects.toThrow('enough')
})
