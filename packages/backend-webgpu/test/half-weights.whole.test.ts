import type { Backend } from '@dit/tensor'
import { afterAll, beforeAll, describe, test as plain } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { webgpu, type WebGpuOptions } from '../src/index.js'
import { testAdapter } from './drivers.js'
import { expectSameBits, expectToCompile } from './half-weights.js'

const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

const precisions: readonly WebGpuOptions[] = [{ precision: 'f32' }, { precision: 'f16', halves: 'packed' }]

describe.each(precisions)('in $precision', (precision) => {
  let backend: Backend
  beforeAll(async () => {
    // An adapter gives one device.
    if (options !== null) backend = await webgpu({ adapter: (await options.gpu.requestAdapter())!, ...precision })
  })
  afterAll(async () => {
    await backend?.dispose()
  })

  test('a product has the bits of one with the same weights in f32', async () => {
    for (const [M, K, O] of [
      [5, 7, 9],
      [33, 8, 12],
      [70, 132, 67],
    ]) {
      await expectSameBits(backend, [M, K, O], ['none', 'gelu'])
    }
  })
})

test('a tile of real cards gives the same bits, too', async () => {
  const backend = await webgpu({ adapter: (await options!.gpu.requestAdapter())!, tiles: 'large' })
  await expectSameBits(backend, [448, 20, 444], ['none'])
  await backend.dispose()
})

plain.each([
  { precision: 'f32' },
  { precision: 'f16', halves: 'f16' },
  { precision: 'f16', matrixUnits: { M: 16, N: 16, K: 16 } },
  { precision: 'f32', matrixUnits: { M: 8, N: 8, K: 8 } },
] as const)('kernels that read halves compile in %o', (precision) => expectToCompile(precision))
