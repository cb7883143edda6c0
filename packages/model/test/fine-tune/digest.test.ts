import type { StoredArray, TensorFile } from '@dit/checkpoint'
import { float32ToFloat16, toFloat32 } from '@dit/checkpoint'
import { afterEach, expect, test, vi } from 'vitest'
import { tensorDigests, weightsDigest } from '../../src/index.js'

function fileOf(arrays: Readonly<Record<string, StoredArray>>): TensorFile {
  return {
    entries: new Map(Object.entries(arrays)),
    tensor: async (name) => arrays[name],
    float32: async (name) => toFloat32(arrays[name]),
  }
}

const f32 = (values: number[], shape = [values.length]): StoredArray => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(values),
})
const digestOf = async (file: TensorFile, names?: string[]) => weightsDigest(await tensorDigests(file, names))

afterEach(() => vi.unstubAllGlobals())

test('depends neither on the order of tensors nor on the type that they are stored in', async () => {
  const [a, b] = [f32([1, 2]), f32([0.5])]
  const half: StoredArray = { dtype: 'F16', shape: [1], data: float32ToFloat16(Float32Array.of(0.5)) }
  const digest = await digestOf(fileOf({ a, b }))
  expect(digest).toMatch(/^[0-9a-f]{64}$/)
  expect(await digestOf(fileOf({ b: half, a }))).toBe(digest)
})

test('changes with a value, a shape, a name and what is left out', async () => {
  const [a, b] = [f32([1, 2]), f32([0.5])]
  const whole = await digestOf(fileOf({ a, b }))
  const others = [
    fileOf({ a: f32([1, 3]), b }),
    fileOf({ a: f32([1, 2], [1, 2]), b }),
    fileOf({ c: a, b }),
    fileOf({ a }),
  ]
  for (const other of others) expect(await digestOf(other)).not.toBe(whole)
  expect(await digestOf(fileOf({ a, b }), ['a'])).toBe(await digestOf(fileOf({ a })))
})

test('is the same in a page that is not secure, which has no crypto.subtle', async () => {
  const file = fileOf({ a: f32([1]) })
  const usual = await digestOf(file)
  vi.stubGlobal('crypto', {})
  expect(await digestOf(file)).toBe(usual)
})
