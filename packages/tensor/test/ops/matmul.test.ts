import { matmul, tensor } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

test('product by hand, with every transpose', async () => {
  const a = tensor([1, 2, 3, 4, 5, 6], [2, 3], { backend })
  const b = tensor([1, 0, 2, 1, 0, 3], [3, 2], { backend })
  const [at, bt] = [tensor([1, 4, 2, 5, 3, 6], [3, 2], { backend }), tensor([1, 2, 0, 0, 1, 3], [2, 3], { backend })]
  const want = [5, 11, 14, 23]
  expect(await numbers(matmul(a, b))).toEqual(want)
  expect(await numbers(matmul(at, b, { transposeA: true }))).toEqual(want)
  expect(await numbers(matmul(a, bt, { transposeB: true }))).toEqual(want)
  expect(await numbers(matmul(at, bt, { transposeA: true, transposeB: true }))).toEqual(want)
})

describe.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])('transposes %s and %s', (transposeA, transposeB) => {
  test.each([[[]], [[1]], [[2]], [[2, 3]]])('gradients of both operands, batch %j', async (batch) => {
    const a = draw('a', [...batch, ...(transposeA ? [4, 3] : [3, 4])])
    const b = draw('b', [...batch, ...(transposeB ? [2, 4] : [4, 2])])
    await checkGradients({ a, b }, ({ a, b }) => matmul(a, b, { transposeA, transposeB }))
    await checkGradients({ a }, ({ a }) => matmul(a, b, { transposeA, transposeB }))
    await checkGradients({ b }, ({ b }) => matmul(a, b, { transposeA, transposeB }))
  })
})

test.each([false, true])('one matrix shared by a batch, transposed %s', async (transposeB) => {
  const [a, b] = [draw('a', [2, 3, 4]), draw('b', transposeB ? [5, 4] : [4, 5])]
  expect(matmul(a, b, { transposeB }).shape).toEqual([2, 3, 5])
  await checkGradients({ a, b }, ({ a, b }) => matmul(a, b, { transposeB }))
})

test('a tensor times itself', async () => {
  await checkGradients({ x: draw('x', [3, 3]) }, ({ x }) => [matmul(x, x), matmul(x, x, { transposeB: true })])
})

test('errors print the shapes and what is transposed', () => {
  const [a, b] = [draw('a', [2, 3]), draw('b', [2, 3])]
  expect(() => matmul(a, b)).toThrow(
    new RangeError('matmul: inner extents and leading axes must agree (got [2, 3] and [2, 3])'),
  )
  expect(() => matmul(a, b, { transposeA: true, transposeB: true })).toThrow(
    '(got [2, 3] transposed and [2, 3] transposed)',
  )
  expect(() => matmul(draw('a', [2, 2, 3]), draw('b', [3, 3, 2]))).toThrow('leading axes must agree')
  expect(() => matmul(draw('a', [3]), b)).toThrow(new RangeError('matmul: tensors need two axes or more (got [3])'))
  expect(() => matmul(a, tensor(Int32Array.of(1, 2, 3), [3, 1], { backend }))).toThrow(TypeError)
})
