import { type Activation, add, concat, linear, ones, permute, softmax, sum, valueAndGrad } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { cpu } from '../src/index.js'
import { engines } from './engines.js'

describe.each(engines)('on $label', ({ options }) => {
  test('tensors without elements are computed, and do not end the process', async () => {
    const backend = await cpu(options)
    const empty = (...shape: number[]) => ones(shape, { backend })
    expect(permute(empty(0, 4), [1, 0]).shape).toEqual([4, 0])
    expect([...(await concat([empty(0, 4), empty(1, 4), empty(0, 4)], 0).data())]).toEqual([1, 1, 1, 1])
    expect([...(await concat([empty(2, 0), empty(2, 1)], 1).data())]).toEqual([1, 1])
    expect(add(empty(4, 0), empty(1, 1)).shape).toEqual([4, 0])
    expect(softmax(empty(4, 0)).shape).toEqual([4, 0])
    expect([...(await sum(empty(3, 0), [1]).data())]).toEqual([0, 0, 0])
    const layer = async (M: number, K: number, O: number, activation: Activation) => {
      const params = { x: empty(M, K), weight: empty(O, K), bias: empty(O) }
      const { gradients } = valueAndGrad(params, ({ x, weight, bias }) => ({
        loss: sum(linear(x, weight, bias, { activation })),
      }))
      return Promise.all([gradients.x, gradients.weight, gradients.bias].map(async (each) => [...(await each.data())]))
    }
    for (const activation of ['none', 'gelu'] as const) {
      expect(await layer(0, 4, 3, activation)).toEqual([[], Array(12).fill(0), [0, 0, 0]])
      expect(await layer(2, 4, 0, activation)).toEqual([Array(8).fill(0), [], []])
    }
    expect(await layer(2, 0, 3, 'none')).toEqual([[], [], [2, 2, 2]])
    await backend.dispose()
  })
})
