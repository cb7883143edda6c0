import type { Backend } from '@dit/tensor'
import { conformanceCases } from '@dit/tensor/conformance'
import { afterAll, beforeAll, expect, vi } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { webgpu } from '../src/index.js'
import { testAdapter } from './drivers.js'

// Software drivers compile kernels slowly: here one case of each group, in conformance.whole.test.ts all of them.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 })

const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

let backend: Backend
beforeAll(async () => {
  if (options !== null) backend = await webgpu(options)
})
afterAll(async () => {
  await backend?.dispose()
})

const first = new Map(
  conformanceCases()
    .toReversed()
    .map((one) => [one.group, one]),
)
// Cases of these groups go through every kernel.
first.delete('memory')
first.delete('block')

for (const { name, run } of first.values()) {
  test(name, async () => {
    expect(await run(backend)).toBeLessThanOrEqual(1)
  })
}
