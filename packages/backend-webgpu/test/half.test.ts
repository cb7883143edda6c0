import {
  type Backend,
  dispose,
  linear,
  mul,
  randomNormal,
  randomStream,
  reference,
  sum,
  valueAndGrad,
} from '@dit/tensor'
import { afterAll, beforeAll, expect, test as plain, vi } from 'vitest'
import { webgpu, type WebGpuOptions } from '../src/index.js'
import { nullBackend, testAdapter } from './drivers.js'
import { training } from './training.js'

// Software drivers compile kernels slowly.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 })

// llvmpipe of Mesa from 25 on has f16, SwiftShader has not.
const { options } = await testAdapter()
const isThere = options !== null && options.adapter.features.has('shader-f16')
if (!isThere) process.stdout.write('skipped what needs shader-f16: the software driver here does not have it\n')
const test = isThere ? plain : plain.skip

let backend: Backend
const open = async (more: WebGpuOptions = {}) => {
  const { gpu } = options!
  const adapter = (await gpu.requestAdapter())!
  return webgpu({ adapter, precision: 'f16', ...more })
}
beforeAll(async () => {
  if (isThere) backend = await open()
})
afterAll(async () => {
  await backend?.dispose()
})

/** Gradient of the weight where the gradient of the result is about `size`. */
async function weightGradient(on: Backend, size: number): Promise<Float32Array> {
  const draw = (name: string, shape: readonly number[]) => randomNormal(shape, randomStream(1, name), { backend: on })
  const [x, dout] = [draw('x', [16, 32]), draw('dout', [16, 24])]
  on.kernels.affine(dout, size, 0, dout)
  const params = { weight: draw('weight', [24, 32]) }
  const { loss, gradients } = valueAndGrad(params, ({ weight }) => ({ loss: sum(mul(linear(x, weight, null), dout)) }))
  const values = Float32Array.from(await gradients.weight.data())
  dispose([x, dout, params, loss, gradients])
  return values
}

function relativeDistance(a: Float32Array, b: Float32Array): number {
  const norm = (values: Float32Array) => Math.hypot(...values)
  return norm(a.map((value, i) => value - b[i])) / norm(b)
}

test('a gradient of 1e-7 keeps the precision of half numbers, which it loses without loss scaling', async () => {
  const want = await weightGradient(reference(), 1e-7)
  const unscaled = await open({ lossScale: 1 })
  // Half numbers have 11 bits; below 6e-5 they have fewer.
  expect(relativeDistance(await weightGradient(backend, 1e-7), want)).toBeLessThan(1e-3)
  expect(relativeDistance(await weightGradient(unscaled, 1e-7), want)).toBeGreaterThan(0.05)
  await unscaled.dispose()
})

test('training in f16 follows training in float64', async () => {
  const extents = { B: 2, N: 9, D: 24, depth: 2, numHeads: 3 }
  const losses = async (on: Backend) => {
    const run = await training(on, reference(), extents)
    const values: number[] = []
    for (let i = 0; i < 5; i++) {
      const loss = run.step()
      values.push((await loss.data())[0])
      loss.dispose()
    }
    run.dispose()
    return values
  }
  const [got, want] = [await losses(backend), await losses(reference())]
  // Operands of 11 bits, whose errors are independent.
  for (const [i, value] of got.entries()) expect(Math.abs(value / want[i] - 1)).toBeLessThan(5e-3)
})

plain('lossScale must be a power of two', async () => {
  await expect(nullBackend({ precision: 'f16', lossScale: 3 })).rejects.toThrow(
    'webgpu: lossScale must be a power of two from 1 to 65536 (got 3)',
  )
})
