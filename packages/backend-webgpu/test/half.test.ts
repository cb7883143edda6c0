import type { Backend } from '@dit/tensor'
import { afterAll, beforeAll, expect, test as plain } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { webgpu, type WebGpuOptions } from '../src/index.js'
import { nullBackend, testAdapter } from './drivers.js'
import { testLossScaling } from './half.js'

// Packed halves run everywhere. All kernels in half precision, and shader-f16: half.whole.test.ts.
const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

async function open(more: WebGpuOptions = {}): Promise<Backend> {
  // An adapter gives one device.
  const adapter = (await options!.gpu.requestAdapter())!
  return webgpu({ adapter, precision: 'f16', halves: 'packed', ...more })
}

let backend: Backend
beforeAll(async () => {
  if (options !== null) backend = await open()
})
afterAll(async () => {
  await backend?.dispose()
})

testLossScaling(test, () => backend, open)

plain('lossScale must be a power of two', async () => {
  await expect(nullBackend({ precision: 'f16', lossScale: 3 })).rejects.toThrow(
    'webgpu: lossScale must be a power of two from 1 to 65536 (got 3)',
  )
})
