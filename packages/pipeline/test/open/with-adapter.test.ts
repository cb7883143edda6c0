import type { StoredArray, TensorFile } from '@dit/checkpoint'
import { toFloat32 } from '@dit/checkpoint'
import {
  adapterMetadata,
  adapterShapes,
  type Description,
  initParams,
  mergeAdapters,
  parameterShapes,
  tensorDigests,
  weightsDigest,
} from '@dit/model'
import { normals, randomStream } from '@dit/random'
import { reference, type Shape, sizeOf, toFloat32Array } from '@dit/tensor'
import { expect, test } from 'vitest'
import { openModel, withAdapter } from '../../src/index.js'
import { tinyModel } from '../tiny-model.js'

const network = { ...tinyModel, learnSigma: false }
const description: Description = {
  network: { ...network, numClasses: 2 },
  process: { kind: 'flow', prediction: 'velocity', interpolant: 'linear' },
  program: null,
  classNames: ['naga', 'orc'],
  pixelRange: [-1, 1],
  latents: null,
}

const draw = (name: string, shape: Shape): StoredArray => ({
  dtype: 'F32',
  shape,
  data: normals(randomStream(2, name), sizeOf(shape)),
})

function fileOf(shapes: Readonly<Record<string, Shape>>, metadata = {}): TensorFile {
  const arrays = new Map(Object.entries(shapes).map(([name, shape]) => [name, draw(name, shape)]))
  return {
    entries: arrays,
    metadata,
    tensor: async (name) => arrays.get(name)!,
    float32: async (name) => toFloat32(arrays.get(name)!),
  }
}

const LABELS = 'y_embedder.embedding_table.weight'
const base = fileOf(parameterShapes(network), {
  'dit.config': JSON.stringify(network),
  'dit.process': '{"kind":"flow"}',
})
const shapes = adapterShapes(parameterShapes(description.network), {
  rank: 2,
  alpha: 4,
  match: 'attn',
  trained: LABELS,
})
const kept = [...base.entries.keys()].filter((name) => name !== LABELS)
const digest = await weightsDigest(await tensorDigests(base, kept))
const adapters = (more: object = {}) =>
  fileOf(shapes, adapterMetadata({ rank: 2, alpha: 4, base: digest, model: description, ...more }))

test('the model is merged, and what the adapters say of it holds', async () => {
  const model = await withAdapter(await openModel(base), adapters(), { name: 'naga.safetensors' })
  expect(model.description.network!.numClasses).toBe(2)
  expect(model).toMatchObject({ from: 'model', names: ['naga', 'orc'], notices: [], isProcessKnown: true })
  expect(model.process).toMatchObject({ kind: 'flow', prediction: 'velocity' })
  expect(model.title).toMatch(/, with naga\.safetensors$/)
  const merged = mergeAdapters(base, adapters(), 2)
  const params = (await model.load(reference())) as ReturnType<typeof initParams>
  expect(Object.keys(params)).toEqual(Object.keys(parameterShapes(description.network)))
  for (const name of ['blocks.0.attn.qkv.weight', LABELS, 'blocks.0.mlp.fc1.weight']) {
    expect(await toFloat32Array(params[name]), name).toEqual(await merged.float32(name))
  }
})

test('a scale weakens the adapters, and is named', async () => {
  const model = await withAdapter(await openModel(base), adapters(), { scale: 0.5 })
  const name = 'blocks.0.attn.qkv.weight'
  expect(await model.weights.float32(name)).toEqual(await mergeAdapters(base, adapters(), 1).float32(name))
  expect(model.title).toMatch(/with the adapter file at scale 0\.5$/)
  await expect(withAdapter(await openModel(base), adapters(), { scale: NaN })).rejects.toThrow(
    'loraScale NaN must be a finite number',
  )
})

test('notes adapters trained on other weights; tensors that the file replaces are not compared', async () => {
  const other = await withAdapter(await openModel(base), adapters({ base: 'ab'.repeat(32) }))
  expect(other.notices).toEqual([
    'the adapter file was trained on other weights than these of the tensors: pictures may be worse',
  ])
  expect((await withAdapter(await openModel(base), adapters({ base: null }))).notices).toEqual([])
})

test.each([
  [{ ...description.network, numHeads: 4 }, 'the adapter file is for 4 attention heads, not the 2 of the tensors'],
  [{ ...network, numClasses: 5 }, /of another shape: y_embedder\.embedding_table\.weight \[3, 8\] instead of \[6, 8\]/],
])('a model of another network is refused', async (of, message) => {
  await expect(
    withAdapter(await openModel(base), adapters({ model: { ...description, network: of } })),
  ).rejects.toThrow(message)
})

test('a model in memory, and a file without adapters, are refused', async () => {
  const params = initParams(network, { backend: reference() })
  const lent = await openModel({ network, params, process: { kind: 'flow' } })
  await expect(withAdapter(lent, adapters())).rejects.toThrow(
    'adapters are for weights in files; the model is in memory',
  )
  await expect(withAdapter(await openModel(base), base)).rejects.toThrow('there must be matrices such as')
})

test('what comes out is whole weights, without the adapters that the model was opened with', async () => {
  const run = { ...(await openModel(base)), adapter: {} as never }
  expect(await withAdapter(run, adapters())).not.toHaveProperty('adapter')
})
