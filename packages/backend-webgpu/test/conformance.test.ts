import type { Backend } from '@dit/tensor'
import { conformanceCases } from '@dit/tensor/conformance'
import { afterAll, beforeAll, expect, vi } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { webgpu } from '../src/index.js'
import { testAdapter } from './drivers.js'

// Software drivers compile kernels slowly.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 })

const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

// The bounds of the suite are those of correctly rounded arithmetic. WGSL allows divisions 2.5 units in the last place, roots
// some more, and says nothing of fused multiply-add; functions are our own. Software drivers stay below a sixth of this.
const FACTOR = 8

let backend: Backend
beforeAll(async () => {
  if (options !== null) backend = await webgpu(options)
})
afterAll(async () => {
  await backend?.dispose()
})

for (const { name, run } of conformanceCases({ factor: FACTOR })) {
  test(name, async () => {
    expect(await run(backend)).toBeLessThanOrEqual(1)
  })
}
