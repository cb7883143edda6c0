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
import { conformanceCases } from '@dit/tensor/conformance'
import { afterAll, beforeAll, describe, expect, test as plain, vi } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { webgpu, type WebGpuOptions } from '../src/index.js'
import { nullBackend, testAdapter } from './drivers.js'
import { firstLosses } from './training.js'

// Software drivers compile kernels slowly.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 })

// Packed halves run everywhere; llvmpipe of Mesa from 25 on has shader-f16, too, and SwiftShader has not.
const drivers = { packed: await testAdapter(), f16: await testAdapter('shader-f16') }

async function open(halves: 'packed' | 'f16', more: WebGpuOptions = {}): Promise<Backend> {
  // An adapter gives one device.
  const adapter = (await drivers[halves].options!.gpu.requestAdapter())!
  return webgpu({ adapter, precision: 'f16', halves, ...more })
}

for (const halves of ['packed', 'f16'] as const) {
  describe(`halves ${halves}`, () => {
    const { options, why } = drivers[halves]
    const test = testNeeding(halves === 'f16' ? 'shader-f16' : 'vulkan', options !== null, why)

    let backend: Backend
    beforeAll(async () => {
      if (options !== null) backend = await open(halves)
    })
    afterAll(async () => {
      await backend?.dispose()
    })

    // The other cases have kernels that know no halves, which conformance.test.ts has run.
    for (const { name, run } of conformanceCases({ operands: 'f16' })) {
      if (!/^(linear|attention|block|views):/.test(name)) continue
      // llvmpipe takes up to 20 s for a kernel of products. What follows a product does not depend on how its weight is read.
      if (halves === 'f16' && /weight in b?f16, \[/.test(name)) continue
      test(name, async () => {
        expect(await run(backend)).toBeLessThanOrEqual(1)
      })
    }

    test('a gradient of 1e-7 keeps the precision of half numbers, which it loses without loss scaling', async () => {
      const want = await weightGradient(reference(), 1e-7)
      const unscaled = await open(halves, { lossScale: 1 })
      // Half numbers have 11 bits; below 6e-5 they have fewer.
      expect(relativeDistance(await weightGradient(backend, 1e-7), want)).toBeLessThan(1e-3)
      expect(relativeDistance(await weightGradient(unscaled, 1e-7), want)).toBeGreaterThan(0.05)
      await unscaled.dispose()
    })

    test('a gradient beyond 65504 / lossScale is not cut off, but gives no finite result', async () => {
      // Standard normal draws of 50: the largest is beyond 16, none is beyond 16 when the scale is 1.
      const values = await weightGradient(backend, 50)
      expect(values.every((value) => Number.isFinite(value))).toBe(false)
      const unscaled = await open(halves, { lossScale: 1 })
      const want = await weightGradient(reference(), 50)
      expect(relativeDistance(await weightGradient(unscaled, 50), want)).toBeLessThan(1e-3)
      await unscaled.dispose()
    })

    test('training in f16 follows training in float64', async () => {
      const [got, want] = [await firstLosses(backend, 5), await firstLosses(reference(), 5)]
      // Operands of 11 bits, whose errors are independent.
      for (const [i, value] of got.entries()) expect(Math.abs(value / want[i] - 1)).toBeLessThan(5e-3)
    })
  })
}

const test = testNeeding('shader-f16', drivers.f16.options !== null, drivers.f16.why)
test('packed halves and numbers of shader-f16 give the same bits', async () => {
  const gpu = drivers.f16.options!.gpu
  const results: Float32Array[] = []
  for (const halves of ['packed', 'f16'] as const) {
    const backend = await webgpu({ adapter: (await gpu.requestAdapter())!, precision: 'f16', halves })
    results.push(await weightGradient(backend, 1))
    await backend.dispose()
  }
  expect(results[0]).toEqual(results[1])
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

plain('lossScale must be a power of two', async () => {
  await expect(nullBackend({ precision: 'f16', lossScale: 3 })).rejects.toThrow(
    'webgpu: lossScale must be a power of two from 1 to 65536 (got 3)',
  )
})
