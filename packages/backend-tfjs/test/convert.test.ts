import { add, reference, tensor } from '@dit/tensor'
import { fromTf, tfjs, toTf } from '@dit/backend-tfjs'
import * as tf from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'

const [wasm, cpu] = [await tfjs({ engine: 'wasm' }), await tfjs({ engine: 'cpu' })]

async function made(engine: 'wasm' | 'cpu', make: () => tf.Tensor): Promise<tf.Tensor> {
  await tf.setBackend(engine)
  return make()
}

test.each([wasm, cpu])('$name: a tfjs tensor comes in as f32 or i32 and outlives its source', async (backend) => {
  const engine = backend === wasm ? 'wasm' : 'cpu'
  const floats = await made(engine, () =>
    tf.tensor2d([
      [1, 2, 3],
      [4, 5, 6],
    ]),
  )
  const x = fromTf(floats, { backend })
  floats.dispose()
  expect([x.shape, x.dtype, [...(await x.data())]]).toEqual([[2, 3], 'f32', [1, 2, 3, 4, 5, 6]])
  const doubled = add(x, x)
  expect([...(await doubled.data())]).toEqual([2, 4, 6, 8, 10, 12])
  const integers = await made(engine, () => tf.tensor1d([7, -8], 'int32'))
  const indices = fromTf(integers, { backend })
  expect([indices.dtype, await indices.data()]).toEqual(['i32', new Int32Array([7, -8])])
})

test.each([wasm, cpu])('$name: a tensor goes out under its shape and outlives its source', async (backend) => {
  const x = tensor([1, 2, 3, 4, 5, 6], [3, 2], { backend })
  const out = toTf(x)
  x.dispose()
  expect([out.shape, out.dtype]).toEqual([[3, 2], 'float32'])
  expect([...(await tf.square(out).data())]).toEqual([1, 4, 9, 16, 25, 36])
  expect((await out.data()).length).toBe(6)
})

test('neither direction copies values, and a round trip leaves nothing behind', async () => {
  const x = tensor([1, 2, 3], [3], { backend: wasm })
  const before = { ...tf.memory(), ...wasm.memory() }
  const out = toTf(x)
  const back = fromTf(out, { backend: wasm })
  expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers)
  expect(wasm.memory().buffers).toBe(before.buffers + 1)
  out.dispose()
  back.dispose()
  expect({ ...tf.memory(), ...wasm.memory() }).toEqual(before)
})

test('an update in place does not show on the other side', async () => {
  const x = tensor([1, 2], [2], { backend: wasm })
  const out = toTf(x)
  wasm.kernels.fill(x, 9)
  expect([...(await out.data())]).toEqual([1, 2])
  expect([...(await x.data())]).toEqual([9, 9])
})

test('other dtypes, backends and engines are errors', async () => {
  const truths = await made('wasm', () => tf.tensor1d([true, false], 'bool'))
  expect(() => fromTf(truths, { backend: wasm })).toThrow(
    new TypeError('fromTf: x must be float32 or int32 (got bool)'),
  )
  const onCpu = await made('cpu', () => tf.tensor1d([1, 2]))
  expect(() => fromTf(onCpu, { backend: wasm })).toThrow(
    new TypeError("fromTf: x must live on the engine of tfjs-wasm; make it after tf.setBackend('wasm')"),
  )
  const elsewhere = reference()
  expect(() => fromTf(onCpu, { backend: elsewhere })).toThrow(
    new TypeError('fromTf: backend must come from tfjs() (got reference)'),
  )
  expect(() => toTf(tensor([1], [1], { backend: elsewhere }))).toThrow(
    new TypeError('toTf: backend must come from tfjs() (got reference)'),
  )
})
