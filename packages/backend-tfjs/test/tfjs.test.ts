import { reference, tensor } from '@dit/tensor'
import { describeTfjs, type EngineName, tfjs } from '@dit/backend-tfjs'
import * as tf from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'

test.each(['wasm', 'cpu'] as const)('%s says what it is', async (engine) => {
  const backend = await tfjs({ engine })
  expect(backend).toMatchObject({ name: `tfjs-${engine}`, float: 'f32', dtypes: ['f32', 'i32'], supportsViews: false })
  const { version, ...rest } = describeTfjs(backend)
  expect(version).toBe(tf.version_core)
  // Every Node that the package supports has SIMD; the threaded binary is for pages.
  expect(rest).toEqual({ engine, simd: engine === 'wasm', threads: 1 })
})

test('backends started at the same time are each on their engine', async () => {
  const [wasm, cpu] = await Promise.all([tfjs({ engine: 'wasm' }), tfjs({ engine: 'cpu' })])
  for (const backend of [wasm, cpu]) {
    await tensor([1], [1], { backend }).data()
    expect(`tfjs-${tf.getBackend()}`).toBe(backend.name)
  }
})

test('disposing of a backend frees its tensors and no others', async () => {
  const [one, two] = [await tfjs({ engine: 'wasm' }), await tfjs({ engine: 'wasm' })]
  const kept = tensor([1, 2], [2], { backend: two })
  const before = tf.memory().numTensors
  tensor([1, 2, 3], [3], { backend: one })
  expect(tf.memory().numTensors).toBe(before + 1)
  await one.dispose()
  expect(one.memory()).toMatchObject({ buffers: 0, bytes: 0 })
  expect(tf.memory().numTensors).toBe(before)
  expect([...(await kept.data())]).toEqual([1, 2])
})

test('values taken out or put in are copies', async () => {
  for (const engine of ['wasm', 'cpu'] as const) {
    const source = new Float32Array([1, 2])
    const x = tensor(source, [2], { backend: await tfjs({ engine }) })
    source[0] = 5
    const values = await x.data()
    values[1] = 5
    expect([...(await x.data())]).toEqual([1, 2])
  }
})

test('freeing twice is an error', async () => {
  const backend = await tfjs({ engine: 'cpu' })
  const buffer = backend.allocate(4)
  backend.free(buffer)
  expect(() => backend.free(buffer)).toThrow('tfjs-cpu: buffer was freed before, or is not of this backend')
})

test('an engine that is not there is an error', async () => {
  await expect(tfjs({ engine: 'webgl' as EngineName })).rejects.toThrow(
    new RangeError(`tfjs: engine must be one of 'wasm', 'cpu', 'webgpu', 'tensorflow' (got "webgl")`),
  )
})

test('only backends of this package are described', () => {
  expect(() => describeTfjs(reference())).toThrow(
    new TypeError('describeTfjs: backend must come from tfjs() (got reference)'),
  )
})
