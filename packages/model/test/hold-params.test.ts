import { type StoredArray, type StoredSpec, type TensorFile, toFloat32 } from '@dit/checkpoint'
import {
  type Backend,
  dispose,
  linear,
  reference,
  reshape,
  scope,
  tensor,
  type Tensor,
  toBackend,
  toFloat32Array,
  useBackend,
} from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { forward, holdParams, loadParams, type ParameterSource, parameterShapes } from '../src/index.js'
import { isLinearWeight } from '../src/parameter-shapes.js'
import { randomInputs, randomParams, TINY } from './tiny.js'

const backend = await useBackend(reference())

/** Arrays in memory as a file. */
function fileOf(arrays: Readonly<Record<string, StoredArray>>): TensorFile {
  const tensor = async (name: string) => arrays[name]
  return {
    entries: new Map<string, StoredSpec>(Object.entries(arrays)),
    tensor,
    float32: async (name) => toFloat32(arrays[name]),
  }
}

const f32 = (values: readonly number[], shape = [1, values.length]): StoredArray => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(values),
})

/** An engine that reads weights in half precision, and one for which they stay in host memory. */
const engines: [string, Backend][] = [
  ['on the engine', backend],
  ['in host memory', { ...reference(), dtypes: ['f64', 'i32'] }],
]

/** Values of a parameter, in whatever type it comes. */
async function valuesOf(source: ParameterSource, name: string): Promise<number[]> {
  return scope(() => {
    const loaded = source.load(name)
    if (loaded.dtype === 'f64') return [...floats(loaded)]
    const one = tensor([1], [1], { backend: source.backend })
    return [...floats(linear(one, reshape(loaded, [loaded.size, 1]), null))]
  })
}

/** Of `reference`, whose memory can be read at once. */
function floats(x: Tensor): Float64Array {
  const values = new Float64Array(x.size)
  x.backend.read!(x, values)
  return values
}

test.each(engines)('%s weights and tables are rounded, biases and positions are not', async (_, on) => {
  const third = Math.fround(1 / 3)
  const weights = fileOf({
    'a.weight': f32([third, -2]),
    'a.bias': f32([third], [1]),
    'y_embedder.embedding_table.weight': f32([third]),
    pos_embed: f32([third], [1, 1, 1]),
    'half.weight': { dtype: 'F16', shape: [1, 1], data: Uint16Array.of(0x3555) },
    'brain.weight': { dtype: 'BF16', shape: [1, 1], data: Uint16Array.of(0x3eab) },
    'half.bias': { dtype: 'F16', shape: [1], data: Uint16Array.of(0x3555) },
  })
  const before = on.memory()
  const read = async (dtype: 'f16' | 'bf16', name: string) => {
    const held = await holdParams(weights, { dtype, backend: on })
    const values = await valuesOf(held, name)
    held.dispose()
    return values
  }
  const [inHalf, inBrain] = [0x555 * 2 ** -12, 0xab * 2 ** -9]
  expect(await read('f16', 'a.weight')).toEqual([inHalf, -2])
  expect(await read('bf16', 'a.weight')).toEqual([inBrain, -2])
  expect(await read('f16', 'y_embedder.embedding_table.weight')).toEqual([inHalf])
  for (const name of ['a.bias', 'pos_embed']) expect(await read('f16', name)).toEqual([third])
  expect(await read('bf16', 'half.weight')).toEqual([inHalf])
  expect(await read('f16', 'brain.weight')).toEqual([inBrain])
  expect(await read('f16', 'half.bias')).toEqual([inHalf])
  expect(on.memory()).toMatchObject({ buffers: before.buffers, bytes: before.bytes })
})

test.each(engines)('%s: forward gives what it gives with the same values in float64', async (_, on) => {
  const { arrays, numParameters } = await roundedParams()
  const drawn = randomInputs(TINY, 2)
  const inputs = { ...drawn, xt: await toBackend(drawn.xt, on) }
  const params = await loadParams(fileOf(arrays), { backend: on })
  const empty = on.memory()
  const held = await holdParams(fileOf(arrays), { backend: on })
  const before = on.memory()
  const [want, got] = [forward(TINY, params, inputs), forward(TINY, held, inputs)]
  expect(on.memory().buffers).toBe(before.buffers + 2)
  expect(await got.data()).toEqual(await want.data())
  // Biases and tables, which are much of so small a model, have 8 bytes here.
  const bytes = before.bytes - empty.bytes
  expect(bytes).toBe(on.dtypes.includes('f16') ? 8 * numParameters.others + 2 * numParameters.linear : 0)
  held.dispose()
  held.dispose()
  expect(() => held.load('pos_embed')).toThrow('holdParams: the parameters were used after they were disposed of')
  dispose([params, want, got, drawn.xt, inputs.xt])
})

/** Parameters of a tiny model that are exact in float16: multiples of 1/64 below 16. */
async function roundedParams() {
  const params = randomParams(TINY)
  const arrays: Record<string, StoredArray> = {}
  const numParameters = { linear: 0, others: 0 }
  for (const [name, value] of Object.entries(params)) {
    const data = (await toFloat32Array(value)).map((x) => Math.round(x * 64) / 64)
    arrays[name] = { dtype: 'F32', shape: value.shape, data }
    numParameters[isLinearWeight(name, value.shape) ? 'linear' : 'others'] += value.size
  }
  dispose(params)
  return { arrays, numParameters }
}

test('what is loaded outlives the source, and the source what is loaded', async () => {
  const before = backend.memory().buffers
  const held = await holdParams(fileOf({ 'a.weight': f32([1, 2]) }), { backend })
  scope(() => void held.load('a.weight'))
  const loaded = held.load('a.weight')
  held.dispose()
  expect(await loaded.data()).toEqual(Uint16Array.of(0x3c00, 0x4000))
  loaded.dispose()
  expect(backend.memory().buffers).toBe(before)
})

test('a file that cannot be read to its end leaves nothing on the engine', async () => {
  const before = backend.memory().buffers
  const integers: StoredArray = { dtype: 'I32', shape: [1], data: Int32Array.of(1) }
  await expect(holdParams(fileOf({ 'a.weight': f32([1]), b: integers }), { backend })).rejects.toThrow(TypeError)
  expect(backend.memory().buffers).toBe(before)
})

describe('refuses', () => {
  test('values that float16 cannot hold, and takes them as bfloat16', async () => {
    const weights = fileOf({ a: f32([1, 65520]) })
    await expect(holdParams(weights, { backend })).rejects.toThrow(
      'holdParams: a must stay below 65520 in f16 (value 1 is 65520); use bf16',
    )
    const held = await holdParams(weights, { dtype: 'bf16', backend })
    held.dispose()
  })

  test('integers, and names that it does not have', async () => {
    const integers: StoredArray = { dtype: 'I32', shape: [1], data: Int32Array.of(1) }
    await expect(holdParams(fileOf({ a: integers }), { backend })).rejects.toThrow(
      'must be F64, F32, F16, BF16 or float8 (I32)',
    )
    const before = backend.memory().buffers
    await expect(loadParams(fileOf({ a: f32([1]), b: integers }), { backend })).rejects.toThrow(TypeError)
    expect(backend.memory().buffers).toBe(before)
    const held = await holdParams(fileOf({ a: f32([1]) }), { backend })
    expect(() => held.load('b')).toThrow('holdParams: there is no parameter "b"')
  })

  test('parameters of another configuration, as forward says of those on the engine', async () => {
    const shapes = Object.entries(parameterShapes(TINY)).slice(1)
    const zeros = shapes.map(
      ([name, shape]) => [name, f32(Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0), [...shape])] as const,
    )
    const inputs = randomInputs(TINY, 1)
    const held = await holdParams(fileOf(Object.fromEntries(zeros)), { backend: inputs.xt.backend })
    expect(() => forward(TINY, held, inputs)).toThrow('missing: pos_embed [1, 4, 8]')
  })
})

test('another dtype is refused, and not taken for one of them', async () => {
  const weights = fileOf({ 'a.weight': f32([1]) })
  await expect(holdParams(weights, { dtype: 'float16' as 'f16', backend })).rejects.toThrow(
    new RangeError('holdParams: dtype must be f16 or bf16 (got "float16")'),
  )
})

test.each<[string, StoredArray, string]>([
  ['NaN', f32([1, NaN]), 'value 1 of w is NaN'],
  ['infinite', f32([1, -Infinity]), 'value 1 of w is -Infinity'],
  [
    'infinite in float16',
    { dtype: 'F16', shape: [1, 2], data: Uint16Array.of(0x3c00, 0x7c00) },
    'value 1 of w is Infinity',
  ],
  ['NaN in bfloat16', { dtype: 'BF16', shape: [1, 2], data: Uint16Array.of(0x3f80, 0x7fc0) }, 'value 1 of w is NaN'],
])(
  'weights that are %s are refused on loading, held or not, and leave nothing on the engine',
  async (_, array, text) => {
    const before = backend.memory().buffers
    const file = fileOf({ a: f32([1]), w: array })
    await expect(loadParams(file, { backend })).rejects.toThrow(`loadParams: the weights must be finite, but ${text}`)
    await expect(holdParams(file, { backend })).rejects.toThrow(`holdParams: the weights must be finite, but ${text}`)
    expect(backend.memory().buffers).toBe(before)
  },
)
