import { cpu } from '@dit/backend-cpu'
import { webgpu } from '@dit/backend-webgpu'
import { type StoredArray, type StoredSpec, type TensorFile, toFloat32 } from '@dit/checkpoint'
import {
  countParameters,
  type DiTConfig,
  ditConfig,
  forward,
  type HeldDType,
  holdParams,
  loadParams,
  parameterShapes,
} from '@dit/model'
import { normals, randomStream } from '@dit/random'
import { type Backend, dispose, type Shape, sizeOf, tensor, toFloat32Array } from '@dit/tensor'
import { expect, test as plain } from 'vitest'
import { nullBackend, testAdapter } from '../packages/backend-webgpu/test/drivers.js'
import { testNeeding } from './require.js'

const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

const model: DiTConfig = {
  inputSize: 6,
  patchSize: 2,
  inChannels: 3,
  hiddenSize: 36,
  depth: 2,
  numHeads: 2,
  mlpRatio: 4,
  numClasses: 4,
  classDropout: 0.1,
  learnSigma: true,
}

/** Weights of a configuration as a file in float32. */
function weightsOf(config: DiTConfig, values: (name: string, shape: Shape) => Float32Array): TensorFile {
  const shapes = parameterShapes(config)
  const array = (name: string): StoredArray => ({ dtype: 'F32', shape: shapes[name], data: values(name, shapes[name]) })
  return {
    entries: new Map<string, StoredSpec>(
      Object.keys(shapes).map((name) => [name, { dtype: 'F32', shape: shapes[name] }]),
    ),
    tensor: async (name) => array(name),
    float32: async (name) => toFloat32(array(name)),
  }
}

const drawn = weightsOf(model, (name, shape) => {
  const scale = 1 / Math.sqrt(shape.length > 1 ? sizeOf(shape) / shape[0] : 16)
  return normals(randomStream(7, name), sizeOf(shape)).map((value) => scale * value)
})

/** What the network gives with weights held in half precision. */
async function output(backend: Backend, dtype: HeldDType): Promise<Float32Array> {
  const held = await holdParams(drawn, { backend, dtype })
  const xt = tensor(normals(randomStream(0, 'xt'), 2 * 3 * 36), [2, 3, 6, 6], { backend })
  const out = forward(model, held, { xt, timesteps: [12, 900], labels: [1, 4] })
  const values = await toFloat32Array(out)
  dispose([xt, out])
  held.dispose()
  expect(backend.memory()).toMatchObject({ buffers: 0, bytes: 0 })
  return values
}

test('weights in half on the card give what the same weights in host memory give the CPU kernels', async () => {
  const [own, card] = [await cpu({ engine: 'wasm', threads: 1 }), await webgpu(options!)]
  for (const dtype of ['f16', 'bf16'] as const) {
    const [want, got] = [await output(own, dtype), await output(card, dtype)]
    const largest = Math.max(...want.map(Math.abs))
    // Float32 sums of up to 144 terms, through two blocks.
    expect(Math.max(...want.map((value, i) => Math.abs(value - got[i])))).toBeLessThan(1e-5 * largest)
  }
  await own.dispose()
  await card.dispose()
})

plain('DiT-S/2 held in half takes half the memory of the card', async () => {
  const config = ditConfig('DiT-S/2')
  const { all } = countParameters(config)
  const zeros = weightsOf(config, (_, shape) => new Float32Array(sizeOf(shape)))
  const backend = await nullBackend()
  const whole = await loadParams(zeros, { backend })
  expect(backend.memory().bytes).toBe(4 * all)
  dispose(whole)
  const held = await holdParams(zeros, { backend })
  // 2 bytes for each parameter of 33 million, and 2 more for the 0.7 million of biases and tables.
  expect(backend.memory().bytes / all).toBeGreaterThan(2)
  expect(backend.memory().bytes / all).toBeLessThan(2.05)
  // A pass takes nothing for them.
  const before = backend.memory().bytes
  const loaded = Object.keys(held.shapes).map((name) => held.load(name))
  expect(backend.memory().bytes).toBe(before)
  dispose(loaded)
  expect(backend.memory().bytes).toBe(before)
  held.dispose()
  expect(backend.memory().bytes).toBe(0)
  await backend.dispose()
})
