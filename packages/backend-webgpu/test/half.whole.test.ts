import { type Backend, reference } from '@dit/tensor'
import { conformanceCases } from '@dit/tensor/conformance'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { webgpu, type WebGpuOptions } from '../src/index.js'
import { testAdapter } from './drivers.js'
import { testLossScaling, weightGradient } from './half.js'
import { firstLosses } from './training.js'

// Packed halves run everywhere; llvmpipe of Mesa from 25 on has shader-f16, too, and SwiftShader has not.
const drivers = { packed: await testAdapter(), f16: await testAdapter('shader-f16') }

/** Cases of every kind of product: with whole tiles and at their ends, in attention, in a block, on views. */
const NEEDS_SHADER_F16 =
  /^(linear: \[2, 9, 8\] to 12, activation (gelu, with|none, without) bias|linear: \[1, 5000\].*with bias|linear: weight in b?f16, every|attention: 2 heads of width (8|72), 1 |block:|views:)/

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
      // llvmpipe takes up to 40 s to compile a kernel. What follows a product does not depend on how halves are read.
      if (halves === 'f16' && !NEEDS_SHADER_F16.test(name)) continue
      test(name, async () => {
        expect(await run(backend)).toBeLessThanOrEqual(1)
      })
    }

    if (halves === 'f16')
      testLossScaling(
        test,
        () => backend,
        (more) => open(halves, more),
      )

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
