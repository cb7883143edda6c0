import { type StoredArray, type StoredSpec, type TensorFile, toFloat32 } from '@dit/checkpoint'
import { dispose, reference, toFloat32Array, useBackend } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { forward, holdParams, loadParams, parameterShapes } from '../src/index.js'
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

test('matrices are rounded, vectors and the position table are not', async () => {
  const third = Math.fround(1 / 3)
  const weights = fileOf({
    matrix: f32([third, -2]),
    bias: f32([third], [1]),
    pos_embed: f32([third], [1, 1, 1]),
    half: { dtype: 'F16', shape: [1], data: Uint16Array.of(0x3555) },
    brain: { dtype: 'BF16', shape: [1], data: Uint16Array.of(0x3eab) },
  })
  const read = async (dtype: 'f16' | 'bf16', name: string) => {
    const held = await holdParams(weights, { dtype, backend })
    const loaded = held.load(name)
    const values = [...(await toFloat32Array(loaded))]
    loaded.dispose()
    return values
  }
  const [inHalf, inBrain] = [0x555 * 2 ** -12, 0xab * 2 ** -9]
  expect(await read('f16', 'matrix')).toEqual([inHalf, -2])
  expect(await read('bf16', 'matrix')).toEqual([inBrain, -2])
  for (const name of ['bias', 'pos_embed']) expect(await read('f16', name)).toEqual([third])
  expect(await read('bf16', 'half')).toEqual([inHalf])
  expect(await read('f16', 'brain')).toEqual([inBrain])
})

test('forward gives what it gives with the same values on the engine, and frees each block', async () => {
  const params = randomParams(TINY)
  const rounded: Record<string, StoredArray> = {}
  for (const [name, value] of Object.entries(params)) {
    // Multiples of 1/64 below 16 are exact in float16.
    const data = (await toFloat32Array(value)).map((x) => Math.round(x * 64) / 64)
    rounded[name] = { dtype: 'F32', shape: value.shape, data }
  }
  const inputs = randomInputs(TINY, 2)
  const on = await loadParams(fileOf(rounded), { backend: inputs.xt.backend })
  const held = await holdParams(fileOf(rounded), { backend: inputs.xt.backend })
  const before = inputs.xt.backend.memory().buffers
  const [want, got] = [forward(TINY, on, inputs), forward(TINY, held, inputs)]
  expect(inputs.xt.backend.memory().buffers).toBe(before + 2)
  expect(await got.data()).toEqual(await want.data())
  dispose([params, on, want, got, inputs.xt])
})

describe('refuses', () => {
  test('values that float16 cannot hold, and takes them as bfloat16', async () => {
    const weights = fileOf({ a: f32([1, 65520]) })
    await expect(holdParams(weights, { backend })).rejects.toThrow(
      'holdParams: a must stay below 65520 in f16 (value 1 is 65520); use bf16',
    )
    await holdParams(weights, { dtype: 'bf16', backend })
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
