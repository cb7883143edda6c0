import { add, type Backend, matmul, mul, reference, tensor } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { globals } from 'webgpu'
import { testNeeding } from '../../../test/require.js'
import { webgpu } from '../src/index.js'
import type { TfjsBridge } from '../src/tfjs/index.js'
import { testAdapter } from './drivers.js'

const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

let backend: Backend
let bridge: TfjsBridge
beforeAll(async () => {
  if (options === null) return
  Object.assign(globalThis, globals)
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: options.gpu }, configurable: true })
  const { shareWithTfjs } = await import('../src/tfjs/index.js')
  backend = await webgpu(options)
  bridge = await shareWithTfjs(backend)
})
afterAll(async () => {
  await backend?.dispose()
})

const values = (count: number) => Float32Array.from({ length: count }, (_, i) => i)

test('tfjs reads what dit computed, without a copy where the memory is exactly as large', async () => {
  for (const count of [64, 7]) {
    const x = tensor(values(count), [count], { backend })
    const doubled = add(x, x)
    const inTf = bridge.toTf(doubled)
    const result = tf.tidy(() => tf.add(inTf, 1))
    expect([...(await result.data())]).toEqual([...values(count)].map((value) => 2 * value + 1))
    tf.dispose([inTf, result])
    x.dispose()
    doubled.dispose()
  }
})

test('dit reads what tfjs computed, and both give their memory back', async () => {
  const before = { ...backend.memory(), tensors: tf.memory().numTensors }
  const [a, b] = [tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2])]
  const product = tf.matMul(a, b)
  const x = bridge.fromTf(product)
  tf.dispose([a, b, product])
  const y = matmul(x, x)
  expect([...(await y.data())]).toEqual([19 * 19 + 22 * 43, 19 * 22 + 22 * 50, 43 * 19 + 50 * 43, 43 * 22 + 50 * 50])
  x.dispose()
  y.dispose()
  expect({ ...backend.memory(), tensors: tf.memory().numTensors }).toMatchObject({
    buffers: before.buffers,
    bytes: before.bytes,
    tensors: before.tensors,
  })
})

test('memory that tfjs still reads is not used again by dit', async () => {
  const x = tensor(values(64), [64], { backend })
  const inTf = bridge.toTf(x)
  x.dispose()
  // Would get the same memory, were it free.
  const others = [1, 2, 3].map((scale) => mul(tensor(values(64), [64], { backend }), tensor([scale], [1], { backend })))
  const sum = tf.sum(inTf)
  expect((await sum.data())[0]).toBe((63 * 64) / 2)
  tf.dispose([inTf, sum])
  for (const each of others) each.dispose()
})

test('values that change hands many times stay right', async () => {
  let x = tensor(values(64), [64], { backend })
  for (let i = 0; i < 5; i++) {
    const inTf = bridge.toTf(x)
    const more = tf.add(inTf, 1)
    const back = bridge.fromTf(more)
    const next = add(back, x)
    tf.dispose([inTf, more])
    back.dispose()
    x.dispose()
    x = next
  }
  expect([...(await x.data())]).toEqual([...values(64)].map((value) => 32 * value + 31))
  x.dispose()
})

test('tensors of other backends and dtypes are refused', () => {
  const x = tensor([1], [1], { backend: reference() })
  expect(() => bridge.toTf(x)).toThrow('toTf: x must live on the backend that is shared (it lives on reference)')
  const half = tensor(Uint16Array.of(1, 2), [2], { backend, dtype: 'f16' })
  expect(() => bridge.toTf(half)).toThrow('toTf: x must be f32 or i32 (got f16)')
  half.dispose()
  const flags = tf.tensor1d([true], 'bool')
  expect(() => bridge.fromTf(flags)).toThrow('fromTf: x must be float32 or int32 (got bool)')
  flags.dispose()
})
