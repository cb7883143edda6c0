import type { Backend } from '@dit/tensor'
import { conformanceCases } from '@dit/tensor/conformance'
import { afterAll, beforeAll, expect } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { webgpu } from '../src/index.js'
import { testAdapter } from './drivers.js'

const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

let backend: Backend
beforeAll(async () => {
  if (options !== null) backend = await webgpu(options)
})
afterAll(async () => {
  await backend?.dispose()
})

/** Software drivers compile kernels slowly: one case of each group. All of them: conformance.whole.test.ts. */
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
