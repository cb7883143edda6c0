import {
  bytesSource,
  openSafetensors,
  type StoredArray,
  type TensorFile,
  toFloat32,
  writeSafetensors,
} from '@dit/checkpoint'
import { type Params, randomNormal, randomStream, reference, scope, toFloat32Array } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import {
  adapterMetadata,
  adapterNames,
  adapterShapes,
  composeAdapters,
  isAdapterFile,
  isAdapterName,
  type LowRank,
  mergeAdapters,
  parameterShapes,
  readAdapter,
  readLayout,
} from '../../src/index.js'
import { TINY } from '../tiny.js'

const lora: LowRank = { rank: 2, alpha: 4, match: '^blocks.*(attn|mlp)', trained: '^y_embedder' }
const shapes = parameterShapes(TINY)
const QKV = 'blocks.0.attn.qkv'

function fileOf(
  arrays: Readonly<Record<string, StoredArray>>,
  metadata: Readonly<Record<string, string>> = {},
): TensorFile {
  return {
    entries: new Map(Object.entries(arrays)),
    metadata,
    tensor: async (name) => arrays[name],
    float32: async (name) => toFloat32(arrays[name]),
  }
}

const array = (shape: readonly number[], ...values: number[]): StoredArray => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(values),
})

describe('adapterShapes', () => {
  test('has two thin matrices for each matrix that matches, and what is trained in full', () => {
    const found = adapterShapes(shapes, lora)
    expect(found[`${QKV}.lora_A.weight`]).toEqual([2, 8])
    expect(found[`${QKV}.lora_B.weight`]).toEqual([24, 2])
    expect(found['y_embedder.embedding_table.weight']).toEqual([4, 8])
    // Four matrices in each of two blocks; their biases are not adapted.
    expect(Object.keys(found)).toHaveLength(17)
    expect(adapterNames(`${QKV}.weight`)).toEqual([`${QKV}.lora_A.weight`, `${QKV}.lora_B.weight`])
  })

  test('trains in full what is named in both', () => {
    const found = adapterShapes(shapes, { ...lora, trained: '^blocks\\.1\\.' })
    expect(found['blocks.1.attn.qkv.weight']).toEqual([24, 8])
    expect(found['blocks.1.attn.qkv.lora_A.weight']).toBeUndefined()
  })

  test.each([
    [{ rank: 0 }, 'adapterShapes: rank must be a positive integer (got 0)'],
    [{ rank: 9 }, 'adapterShapes: rank must be at most 8, the smaller side of blocks.0.attn.qkv.weight (got 9)'],
    [{ alpha: 0 }, 'adapterShapes: alpha must be above 0 (got 0)'],
    [{ match: 'bias$' }, 'adapterShapes: no weight of a linear layer matches bias$'],
    [{ match: 'x_embedder|y_embedder' }, 'adapterShapes: no weight of a linear layer matches'],
  ])('refuses %j', (changes, message) => {
    expect(() => adapterShapes(shapes, { ...lora, ...changes })).toThrow(message)
  })
})

describe('merging', () => {
  const base = fileOf({ 'a.weight': array([2, 2], 1, 2, 3, 4), 'a.bias': array([2], 5, 6) })
  const adapters = fileOf({ 'a.lora_A.weight': array([1, 2], 1, -1), 'a.lora_B.weight': array([2, 1], 2, 0.5) })

  test('by hand: W + scale B A', async () => {
    const merged = mergeAdapters(base, adapters, 3)
    // B A = [[2, -2], [0.5, -0.5]]
    expect([...(await merged.float32('a.weight'))]).toEqual([7, -4, 4.5, 2.5])
    expect((await merged.tensor('a.weight')).shape).toEqual([2, 2])
    expect([...(await merged.float32('a.bias'))]).toEqual([5, 6])
    expect([...merged.entries.keys()]).toEqual(['a.weight', 'a.bias'])
  })

  test('of scale 0 changes nothing, and what comes along takes the place of the old', async () => {
    expect([...(await mergeAdapters(base, adapters, 0).float32('a.weight'))]).toEqual([1, 2, 3, 4])
    const wider = fileOf({ 'a.bias': array([3], 7, 8, 9) })
    const merged = mergeAdapters(base, wider, 1)
    expect(merged.entries.get('a.bias')!.shape).toEqual([3])
    expect((await merged.tensor('a.bias')).data).toEqual(Float32Array.of(7, 8, 9))
  })

  test.each([
    [{ 'a.lora_A.weight': array([1, 2], 1, 1) }, 'the adapter has a.lora_A.weight without a.lora_B.weight'],
    [{ 'b.bias': array([1], 1) }, 'the adapter has b.bias, which the base has not'],
    [
      { 'b.lora_A.weight': array([1, 2], 1, 1), 'b.lora_B.weight': array([2, 1], 1, 1) },
      'the adapter is for b.weight, which the base has not',
    ],
    [
      { 'a.lora_A.weight': array([1, 3], 1, 1, 1), 'a.lora_B.weight': array([2, 1], 1, 1) },
      'lora_B and lora_A of a.weight must give [2, 2] (they are [2, 1] and [1, 3])',
    ],
  ])('refuses what does not fit', (arrays, message) => {
    expect(() => mergeAdapters(base, fileOf(arrays as Record<string, StoredArray>), 1)).toThrow(
      `mergeAdapters: ${message}`,
    )
  })

  test('on the host is composing on the engine, within float32', async () => {
    const backend = reference()
    const draw = (name: string, shape: readonly number[]) => randomNormal(shape, randomStream(3, name), { backend })
    const whole: Params = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, draw(name, shape)]))
    const trained: Params = Object.fromEntries(
      Object.entries(adapterShapes(shapes, lora)).map(([name, shape]) => [name, draw(name, shape)]),
    )
    const stored = async (params: Params) => {
      const pairs = Object.entries(params).map(async ([name, each]) => [
        name,
        array(each.shape, ...(await toFloat32Array(each))),
      ])
      return fileOf(Object.fromEntries((await Promise.all(pairs)) as [string, StoredArray][]))
    }
    const merged = mergeAdapters(await stored(whole), await stored(trained), 2)
    const composed = scope(() => composeAdapters(whole, trained, 2))
    for (const [name, each] of Object.entries(composed)) {
      const [host, engine] = [await merged.float32(name), await toFloat32Array(each)]
      // Both are rounded to float32 once; values stay below 30.
      host.forEach((value, i) => expect(Math.abs(value - engine[i]), name).toBeLessThan(1e-5))
    }
    expect(composed['y_embedder.embedding_table.weight']).toBe(trained['y_embedder.embedding_table.weight'])
    expect(composed['x_embedder.proj.bias']).toBe(whole['x_embedder.proj.bias'])
  })
})

describe('a file of adapters', () => {
  const arrays = {
    'blocks.0.attn.qkv.lora_A.weight': array([1, 2], 1, -1),
    'blocks.0.attn.qkv.lora_B.weight': array([2, 1], 2, 0.5),
  }
  const base = 'ab'.repeat(32)

  test('comes back as it was described', async () => {
    const model = {
      network: TINY,
      process: { kind: 'flow' as const },
      program: null,
      classNames: ['a', 'b', 'c'],
      pixelRange: null,
      latents: null,
    }
    const bytes = writeSafetensors(
      new Map(Object.entries(arrays)),
      adapterMetadata({ rank: 1, alpha: 0.5, base, model }),
    )
    const file = await openSafetensors(bytesSource(bytes))
    expect(isAdapterFile(file)).toBe(true)
    const adapter = readAdapter(file)
    expect(adapter).toMatchObject({ rank: 1, alpha: 0.5, base, model: { network: TINY, classNames: ['a', 'b', 'c'] } })
    expect([...adapter.weights.entries.keys()].every(isAdapterName)).toBe(true)
  })

  test("is read with PEFT's prefix, too", async () => {
    const prefixed = Object.fromEntries(
      Object.entries(arrays).map(([name, each]) => [`base_model.model.${name}`, each]),
    )
    const { weights } = readAdapter(fileOf(prefixed, { 'dit.lora': '{"rank": 1, "alpha": 1}' }))
    expect([...weights.entries.keys()]).toEqual(Object.keys(arrays))
    expect([...(await weights.float32(`${QKV}.lora_A.weight`))]).toEqual([1, -1])
  })

  test('is no file of weights', () => {
    expect(() => readLayout(fileOf(arrays))).toThrow('weights: these are low-rank adapters (LoRA): open the weights')
  })

  const said = { 'dit.lora': '{"rank": 1, "alpha": 1, "base": null}' }
  test.each([
    [{}, said, 'there must be matrices such as blocks.0.attn.qkv.lora_A.weight (it has none)'],
    [arrays, {}, 'the metadata dit.lora must say rank and alpha, as {"rank": 8, "alpha": 8} (got nothing)'],
    [arrays, { 'dit.lora': 'x' }, 'must say rank and alpha'],
    [arrays, { 'dit.lora': '{"rank": 1, "alpha": 0}' }, 'must say rank and alpha'],
    [arrays, { 'dit.lora': '{"rank": 1, "alpha": 1, "base": "../x"}' }, 'must say rank and alpha'],
    [
      arrays,
      { 'dit.lora': '{"rank": 2, "alpha": 1}' },
      'blocks.0.attn.qkv.lora_A.weight must be of rank 2 (it is of rank 1)',
    ],
    [
      { [`${QKV}.lora_B.weight`]: array([2, 1], 1, 1) },
      said,
      `it has ${QKV}.lora_B.weight without ${QKV}.lora_A.weight`,
    ],
  ])('is refused if it is wrong', (tensors, metadata, message) => {
    expect(() =>
      readAdapter(fileOf(tensors as Record<string, StoredArray>, metadata as Record<string, string>)),
    ).toThrow(message)
  })
})

test('names say what they adapt', () => {
  expect(isAdapterName('blocks.0.attn.qkv.weight')).toBe(false)
  expect(isAdapterName('blocks.0.attn.qkv.lora_C.weight')).toBe(false)
})
