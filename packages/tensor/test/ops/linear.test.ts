import { type Activation, linear, reference, sum, tensor, valueAndGrad } from '@dit/tensor'
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

test('rows without terms give the bias', async () => {
  const [x, weight] = [tensor([], [2, 0], { backend }), tensor([], [3, 0], { backend })]
  expect(await numbers(linear(x, weight, tensor([1, 2, 3], [3], { backend })))).toEqual([1, 2, 3, 1, 2, 3])
})

test('weights in half precision by hand, for inference alone', async () => {
  const x = tensor([1, 2, 4, 8, 16, 32, 64, 128, 256], [9], { backend })
  // 0, -0, 1, -2, 65504, the smallest normal number, the largest and the smallest subnormal one, 1 + 2^-10
  const f16 = Uint16Array.of(0, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0400, 0x03ff, 1, 0x3c01)
  const values = [0, -0, 1, -2, 65504, 2 ** -14, 1023 * 2 ** -24, 2 ** -24, 1 + 2 ** -10]
  const want = values.reduce((sum, value, i) => sum + value * 2 ** i, 0)
  expect(await numbers(linear(x, tensor(f16, [1, 9], { backend, dtype: 'f16' }), null))).toEqual([want])
  const one = tensor([1], [1], { backend })
  const column = (bits: number[], dtype: 'f16' | 'bf16') =>
    numbers(linear(one, tensor(Uint16Array.from(bits), [bits.length, 1], { backend, dtype }), null))
  expect(await column([0x7c00, 0xfc00, 0x7e00], 'f16')).toEqual([Infinity, -Infinity, NaN])
  // The last four: the largest number, the smallest normal and the smallest subnormal one, infinity.
  const bf16Values = [1, -2, 1 + 2 ** -7, 255 * 2 ** 120, 2 ** -126, 2 ** -133, Infinity]
  expect(await column([0x3f80, 0xc000, 0x3f81, 0x7f7f, 0x0080, 1, 0x7f80], 'bf16')).toEqual(bf16Values)
  const weight = tensor(f16, [1, 9], { backend, dtype: 'f16' })
  for (const leaf of ['x', 'bias'] as const) {
    const params = { x, bias: one }
    expect(() =>
      valueAndGrad({ [leaf]: params[leaf] }, (leaves) => {
        const { x, bias } = { ...params, ...leaves }
        return { loss: sum(linear(x, weight, bias)) }
      }),
    ).toThrow(new TypeError('linear: a weight in f16 is for inference; gradients need it in f64'))
  }
})

test('errors', () => {
  const x = draw('x', [2, 4])
  expect(() => linear(x, draw('weight', [4, 5]), null)).toThrow(
    new RangeError('linear: weight must be [O, K] and bias [O] for x [..., K] (got [2, 4], [4, 5])'),
  )
  expect(() => linear(x, draw('weight', [5, 4]), draw('bias', [4]))).toThrow('(got [2, 4], [5, 4], [4])')
  const other = tensor([1, 2, 3, 4], [1, 4], { backend: { ...reference(), name: 'elsewhere' } })
  expect(() => linear(x, other, null)).toThrow('tensors must live on one backend (got reference and elsewhere)')
})
