import { normals, randomStream, uniforms } from '@dit/random'
import {
  type Backend,
  full,
  ones,
  randomNormal,
  randomUniform,
  reference,
  tensor,
  toBackend,
  toFloat32Array,
  upload,
  useBackend,
  zeros,
} from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, numbers } from '../check-gradients.js'

test('tensor takes its dtype from the data and the backend', () => {
  expect(tensor([1, 2], [2], { backend }).dtype).toBe('f64')
  expect(tensor(Float32Array.of(1), [1], { backend }).dtype).toBe('f64')
  expect(tensor(Int32Array.of(1), [1], { backend }).dtype).toBe('i32')
  expect(tensor([1.9], [1], { backend, dtype: 'i32' }).dtype).toBe('i32')
  expect(tensor([1, 2, 3], undefined, { backend }).shape).toEqual([3])
})

test('zeros, ones and full', async () => {
  expect(await numbers(zeros([2], { backend }))).toEqual([0, 0])
  expect(await numbers(ones([], { backend }))).toEqual([1])
  expect(await numbers(full([2], 7, { backend, dtype: 'i32' }))).toEqual([7, 7])
})

test('random tensors hold the draws of the stream, from any start', async () => {
  const stream = randomStream(3, 'test')
  expect(await numbers(randomNormal([2, 3], stream, { backend, start: 5 }))).toEqual([...normals(stream, 6, 5)])
  expect(await numbers(randomUniform([4], stream, { backend }))).toEqual([...uniforms(stream, 4)])
})

test('a bad start leaves no buffer behind', () => {
  const before = backend.memory().buffers
  expect(() => randomNormal([2], randomStream(0), { backend, start: -1 })).toThrow(RangeError)
  expect(backend.memory().buffers).toBe(before)
})

test('upload replaces values', async () => {
  const x = zeros([2], { backend })
  upload(x, Float32Array.of(1, 2))
  expect(await numbers(x)).toEqual([1, 2])
  expect(() => upload(x, [1])).toThrow(new RangeError('upload: shape [2] needs 2 values (got 1)'))
})

test('toBackend moves values and keeps integers integers', async () => {
  const other: Backend = { ...reference(), name: 'elsewhere', float: 'f32', dtypes: ['f32', 'i32'] }
  const x = await toBackend(tensor([1 / 3], [1], { backend }), other)
  expect([x.dtype, await numbers(x)]).toEqual(['f32', [Math.fround(1 / 3)]])
  expect((await toBackend(tensor(Int32Array.of(5), [1], { backend }), other)).dtype).toBe('i32')
})

test('half-precision bit patterns go in and come out as they are, and are not taken for numbers', async () => {
  const x = tensor(Uint16Array.of(0x3c00, 0x7e01), [2], { backend, dtype: 'f16' })
  expect([x.dtype, x.byteLength]).toEqual(['f16', 4])
  expect(await x.data()).toEqual(Uint16Array.of(0x3c00, 0x7e01))
  upload(x, Uint16Array.of(1, 2))
  expect(await x.data()).toEqual(Uint16Array.of(1, 2))
  for (const dtype of ['f16', 'bf16'] as const) {
    expect(() => tensor([1], [1], { backend, dtype })).toThrow(
      new TypeError(`tensor: ${dtype} takes a Uint16Array of bit patterns`),
    )
    expect(() => zeros([1], { backend, dtype })).toThrow(
      new TypeError(`reference: this backend has f64, i32 (asked for ${dtype})`),
    )
  }
  const without: Backend = { ...reference(), dtypes: ['f64', 'i32'] }
  expect(() => tensor(Uint16Array.of(1), [1], { backend: without, dtype: 'f16' })).toThrow(
    new TypeError('reference: this backend has f64, i32 (asked for f16)'),
  )
  await expect(toBackend(x, backend)).rejects.toThrow(new TypeError('toBackend: x must be of floats or i32 (got f16)'))
  expect(() => upload(x, [1, 2])).toThrow(new TypeError('upload: f16 takes a Uint16Array of bit patterns'))
  await expect(toFloat32Array(x)).rejects.toThrow('toFloat32Array: x must be f32 or f64 (got f16)')
})

test('errors', () => {
  expect(() => tensor([1, 2], [3], { backend })).toThrow(new RangeError('tensor: shape [3] needs 3 values (got 2)'))
  expect(() => zeros([1.5], { backend })).toThrow(
    new RangeError('full: extents must be non-negative integers (shape is [1.5])'),
  )
  expect(() => zeros([1], { backend, dtype: 'f32' })).toThrow(
    new TypeError('reference: this backend has f64, i32 (asked for f32)'),
  )
  const small = { ...reference(), maxBufferBytes: 32 }
  expect(() => zeros([5], { backend: small })).toThrow(
    new RangeError(
      'reference: a buffer holds at most 32 bytes (shape [5] needs 40); compute fewer examples at a time, or use another backend',
    ),
  )
})

test('useBackend chooses where tensors are made, also from a promise', async () => {
  const chosen = reference()
  expect(await useBackend(Promise.resolve(chosen))).toBe(chosen)
  expect(zeros([1]).backend).toBe(chosen)
})
