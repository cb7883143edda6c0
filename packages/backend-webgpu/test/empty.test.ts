import { type Activation, type Backend, linear, ones, softmax, sum, valueAndGrad } from '@dit/tensor'
import { afterAll, beforeAll, expect, vi } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { webgpu } from '../src/index.js'
import { testAdapter } from './drivers.js'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

let backend: Backend
beforeAll(async () => {
  if (options !== null) backend = await webgpu(options)
})
afterAll(async () => {
  await backend?.dispose()
})

/** Sum of a linear layer over ones, and how much each of x, weight and bias changes it. */
async function layer(M: number, K: number, O: number, activation: Activation) {
  const params = {
    x: ones([M, K], { backend }),
    weight: ones([O, K], { backend }),
    bias: ones([O], { backend }),
  }
  const { loss, gradients } = valueAndGrad(params, ({ x, weight, bias }) => ({
    loss: sum(linear(x, weight, bias, { activation })),
  }))
  const valuesOf = async (name: keyof typeof params) => [...(await gradients[name].data())]
  return [(await loss.data())[0], await valuesOf('x'), await valuesOf('weight'), await valuesOf('bias')]
}

test('a linear layer without rows, terms or outputs gives zeros, or its bias', async () => {
  for (const activation of ['none', 'gelu'] as const) {
    expect(await layer(0, 4, 3, activation)).toEqual([0, [], Array(12).fill(0), [0, 0, 0]])
    expect(await layer(2, 4, 0, activation)).toEqual([0, Array(8).fill(0), [], []])
  }
  expect(await layer(2, 0, 3, 'none')).toEqual([6, [], [], [2, 2, 2]])
})

test('softmax of empty rows is empty', async () => {
  expect(await softmax(ones([4, 0], { backend })).data()).toHaveLength(0)
  expect(await softmax(ones([0, 4], { backend })).data()).toHaveLength(0)
})
