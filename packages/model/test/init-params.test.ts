import { reference, useBackend } from '@dit/tensor'
import { sincosPositions } from '@dit/tokenizer'
import { expect, test } from 'vitest'
import { forward, initParams, parameterShapes } from '../src/index.js'
import { randomInputs, TINY, VARIANTS } from './tiny.js'

const backend = await useBackend(reference())
const config = { ...TINY, hiddenSize: 64, mlpRatio: 4, numClasses: 99 }

async function statistics(name: string, params = initParams(config, { seed: 1 })) {
  const values = await params[name].data()
  let [sum, squares, largest] = [0, 0, 0]
  for (const value of values) {
    sum += value
    squares += value * value
    largest = Math.max(largest, Math.abs(value))
  }
  return { mean: sum / values.length, deviation: Math.sqrt(squares / values.length), largest }
}

test.each([
  ['x_embedder.proj.weight', Math.sqrt(6 / (2 * 2 * 2 + 64))],
  ['blocks.0.attn.qkv.weight', Math.sqrt(6 / (64 + 3 * 64))],
  ['blocks.1.attn.proj.weight', Math.sqrt(6 / (64 + 64))],
  ['blocks.1.mlp.fc1.weight', Math.sqrt(6 / (64 + 256))],
  ['blocks.0.mlp.fc2.weight', Math.sqrt(6 / (256 + 64))],
])('draws %s uniformly within %f', async (name, bound) => {
  const { mean, deviation, largest } = await statistics(name)
  expect(largest).toBeLessThanOrEqual(Math.fround(bound))
  expect(largest).toBeGreaterThan(0.98 * bound)
  expect(Math.abs(mean)).toBeLessThan(0.1 * bound) // 512 draws or more: standard error at most 0.026 bound
  expect(Math.abs((deviation * Math.sqrt(3)) / bound - 1)).toBeLessThan(0.1)
})

test.each(['t_embedder.mlp.0.weight', 't_embedder.mlp.2.weight', 'y_embedder.embedding_table.weight'])(
  'draws %s normally with deviation 0.02',
  async (name) => {
    const { mean, deviation, largest } = await statistics(name)
    expect(Math.abs(mean)).toBeLessThan(0.002) // 4096 draws or more: standard error 0.0003
    expect(Math.abs(deviation / 0.02 - 1)).toBeLessThan(0.05)
    expect(largest).toBeGreaterThan(0.06) // a uniform of this deviation would end at 0.035
  },
)

test('starts biases, modulation and the last layer at zero', async () => {
  const params = initParams(config)
  const zero = Object.keys(params).filter(
    (name) => name.endsWith('bias') || name.includes('adaLN') || name.startsWith('final_layer'),
  )
  expect(zero).toHaveLength(3 + 2 * 6 + 4)
  for (const name of zero) expect((await statistics(name, params)).largest, name).toBe(0)
})

test('stores the sine-cosine table, or draws a learned one', async () => {
  const fixed = await initParams({ ...config, inputSize: [4, 6] }).pos_embed.data()
  expect(Float32Array.from(fixed)).toEqual(sincosPositions(64, [2, 3]))
  const { deviation } = await statistics('pos_embed', initParams({ ...config, positions: 'learned' }))
  expect(Math.abs(deviation / 0.02 - 1)).toBeLessThan(0.2) // 256 draws: standard error 0.044
})

test.each(Object.entries(VARIANTS))(
  'starts as the zero function, with scales of norms at one (%s)',
  async (_, variant) => {
    const params = initParams(variant)
    const out = await forward(variant, params, randomInputs(variant, 2)).data()
    expect(out.every((value) => value === 0)).toBe(true)
    for (const [name, value] of Object.entries(params)) {
      if (!/norm\w*\.(weight|bias)$/.test(name)) continue
      expect(new Set(await value.data()), name).toEqual(new Set([name.endsWith('weight') ? 1 : 0]))
    }
  },
)

test('draws a timestep table normally', async () => {
  const params = initParams({ ...config, timestepEmbedding: 'table', numTimesteps: 100 })
  const { deviation } = await statistics('t_embedder.embedding_table.weight', params)
  expect(Math.abs(deviation / 0.02 - 1)).toBeLessThan(0.05)
})

test('repeats itself for a seed, and a parameter does not depend on the rest of the model', async () => {
  const name = 'blocks.1.attn.qkv.weight'
  const values = await initParams(config, { seed: 4 })[name].data()
  expect(await initParams(config, { seed: 4 })[name].data()).toEqual(values)
  expect(await initParams({ ...config, depth: 5, numClasses: 7 }, { seed: 4 })[name].data()).toEqual(values)
  expect(await initParams(config, { seed: 5 })[name].data()).not.toEqual(values)
  expect(await initParams(config, { seed: 4 })['blocks.0.attn.qkv.weight'].data()).not.toEqual(values)
})

test('draws float32 values, the same ones on a float64 backend', async () => {
  const values = await initParams(config)['blocks.0.mlp.fc1.weight'].data()
  expect(values).toBeInstanceOf(Float64Array)
  expect(values.every((value) => Math.fround(value) === value)).toBe(true)
})

test('makes one tensor per parameter, on the backend asked for', () => {
  const other = reference()
  const before = backend.memory().buffers
  const params = initParams(config, { backend: other })
  expect(other.memory().buffers).toBe(Object.keys(parameterShapes(config)).length)
  expect(backend.memory().buffers).toBe(before)
  expect(params.pos_embed.backend).toBe(other)
})

test('rejects seeds and configurations that are none', () => {
  expect(() => initParams(config, { seed: -1 })).toThrow('seed must be a non-negative safe integer (got -1)')
  expect(() => initParams({ ...config, depth: 0 })).toThrow('DiTConfig: depth must be a positive integer (got 0)')
})
