import { webgpu } from '@dit/backend-webgpu'
import type { Backend } from '@dit/tensor'
import { afterAll, beforeAll } from 'vitest'
import { testAdapter } from '../packages/backend-webgpu/test/drivers.js'
import { expectLikeTorch, LITE0, SMALL_INCEPTION } from '../packages/features/test/network/networks.js'
import { testNeeding } from './require.js'

const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

let backend: Backend
beforeAll(async () => {
  if (options !== null) backend = await webgpu(options)
})
afterAll(async () => {
  await backend?.dispose()
})

// The tolerance of the CPU kernels (packages/features/test/network), without a factor.
for (const network of [SMALL_INCEPTION, LITE0]) {
  test(`every layer of ${network.fixture} is that of torch to 1e-5 of its largest value`, () =>
    expectLikeTorch(backend, network, 1e-5))
}
