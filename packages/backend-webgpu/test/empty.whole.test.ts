import type { Backend } from '@dit/tensor'
import { afterAll, beforeAll, expect } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { webgpu } from '../src/index.js'
import { testAdapter } from './drivers.js'
import { layer } from './empty.js'

const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

let backend: Backend
beforeAll(async () => {
  if (options !== null) backend = await webgpu(options)
})
afterAll(async () => {
  await backend?.dispose()
})

test('a linear layer with an activation without rows or outputs gives zeros', async () => {
  expect(await layer(backend, [0, 4, 3], 'gelu')).toEqual([0, [], Array(12).fill(0), [0, 0, 0]])
  expect(await layer(backend, [2, 4, 0], 'gelu')).toEqual([0, Array(8).fill(0), [], []])
})
