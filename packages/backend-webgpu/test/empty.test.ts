import { type Backend, ones, softmax } from '@dit/tensor'
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

test('a linear layer without rows, terms or outputs gives zeros, or its bias', async () => {
  expect(await layer(backend, [0, 4, 3], 'none')).toEqual([0, [], Array(12).fill(0), [0, 0, 0]])
  expect(await layer(backend, [2, 4, 0], 'none')).toEqual([0, Array(8).fill(0), [], []])
  expect(await layer(backend, [2, 0, 3], 'none')).toEqual([6, [], [], [2, 2, 2]])
})

test('softmax of empty rows is empty', async () => {
  expect(await softmax(ones([4, 0], { backend })).data()).toHaveLength(0)
  expect(await softmax(ones([0, 4], { backend })).data()).toHaveLength(0)
})
