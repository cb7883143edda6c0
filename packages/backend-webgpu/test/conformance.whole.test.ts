import type { Backend } from '@dit/tensor'
import { conformanceCases } from '@dit/tensor/conformance'
import { afterAll, beforeAll, expect } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { webgpu } from '../src/index.js'
import { testAdapter } from './drivers.js'

const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

// The tolerances of the suite as they are, without a factor, although WGSL allows divisions 2.5 units in the last place, exp 3 + 2 |x|
// and says nothing of fused multiply-add. Functions of one number are our own; the exponentials of softmax and attention are the
// driver's, where x <= 0 and an error of 2 |x| units is one of at most 2 |x| e^x < 1 unit of the largest weight.
let backend: Backend
let plain: Backend
beforeAll(async () => {
  if (options === null) return
  backend = await webgpu({ ...options, subgroups: 'on' })
  // An adapter gives one device.
  plain = await webgpu({ adapter: (await options.gpu.requestAdapter())!, subgroups: 'off' })
})
afterAll(async () => {
  await backend?.dispose()
  await plain?.dispose()
})

for (const { name, run } of conformanceCases()) {
  test(name, async () => {
    expect(await run(backend)).toBeLessThanOrEqual(1)
  })
  if (!/^(reduce|softmax|norm|groupNorm|block)/.test(name)) continue
  test(`without subgroups: ${name}`, async () => {
    expect(await run(plain)).toBeLessThanOrEqual(1)
  })
}
