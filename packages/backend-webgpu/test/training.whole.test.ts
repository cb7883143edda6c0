import { cpu } from '@dit/backend-cpu'
import type { Backend } from '@dit/tensor'
import { afterAll, beforeAll, expect } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { webgpu } from '../src/index.js'
import { testAdapter } from './drivers.js'
import { firstLosses } from './training.js'

const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

let backend: Backend
beforeAll(async () => {
  if (options !== null) backend = await webgpu(options)
})
afterAll(async () => {
  await backend?.dispose()
})

for (const isModern of [false, true]) {
  const blocks = isModern ? 'blocks with RMS norms, QK norm, rotary positions and SwiGLU' : 'plain blocks'
  test(`ten training steps of ${blocks} give the losses of the CPU kernels within 1e-4, and learn`, async () => {
    const own = await cpu({ engine: 'wasm', threads: 1 })
    const [got, want] = [await firstLosses(backend, 10, isModern), await firstLosses(own, 10, isModern)]
    await own.dispose()
    for (const [i, value] of got.entries()) expect(Math.abs(value / want[i] - 1)).toBeLessThan(1e-4)
    expect(got[9]).toBeLessThan(got[0])
  })
}

test('two runs give the same bits', async () => {
  expect(await firstLosses(backend, 5)).toEqual(await firstLosses(backend, 5))
})

test('a run leaves no buffer behind', async () => {
  const { buffers, bytes } = backend.memory()
  await firstLosses(backend, 2)
  expect(backend.memory()).toMatchObject({ buffers, bytes })
})
