import { type Activation, linear, reference, tensor } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

test('x W^T + bias by hand, over any leading axes', async () => {
  const x = tensor([1, 2, 3, 4], [2, 1, 2], { backend })
  const weight = tensor([1, 0, 0, 1, 1, 1], [3, 2], { backend })
  const bias = tensor([10, 20, 30], [3], { backend })
  const out = linear(x, weight, bias)
  expect(out.shape).toEqual([2, 1, 3])
  expect(await numbers(out)).toEqual([11, 22, 33, 13, 24, 37])
  expect(await numbers(linear(x, weight, null))).toEqual([1, 2, 3, 3, 4, 7])
})

describe.each<Activation>(['none', 'gelu', 'silu'])('activation %s', (activation) => {
  test('gradients, with and without bias', async () => {
    const [x, weight, bias] = [draw('x', [2, 3, 4]), draw('weight', [5, 4]), draw('bias', [5])]
    await checkGradients({ x, weight, bias }, ({ x, weight, bias }) => linear(x, weight, bias, { activation }))
    await checkGradients({ x, weight }, ({ x, weight }) => linear(x, weight, null, { activation }))
  })
})

test('a vector is one row', () => {
  expect(linear(draw('x', [4]), draw('weight', [5, 4]), null).shape).toEqual([5])
})

test('errors', () => {
  const x = draw('x', [2, 4])
  expect(() => linear(x, draw('weight', [4, 5]), null)).toThrow(
    new RangeError(
      'linear: weight must be [O, K] and bias [O] for x [..., K] (got x [2, 4], weight [4, 5], bias null)',
    ),
  )
  expect(() => linear(x, draw('weight', [5, 4]), draw('bias', [4]))).toThrow('bias [4]')
  const other = tensor([1, 2, 3, 4], [1, 4], { backend: { ...reference(), name: 'elsewhere' } })
  expect(() => linear(x, other, null)).toThrow('tensors must live on one backend (got reference and elsewhere)')
})
