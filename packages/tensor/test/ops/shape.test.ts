import { add, chunk, concat, permute, reshape, slice, sum, type Tensor, tensor, valueAndGrad } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

const x = tensor([1, 2, 3, 4, 5, 6], [2, 3], { backend })

test('reshape keeps the order and shares the memory', async () => {
  const before = backend.memory().buffers
  const y = reshape(x, [3, -1])
  expect(y.shape).toEqual([3, 2])
  expect(await numbers(y)).toEqual([1, 2, 3, 4, 5, 6])
  expect(backend.memory().buffers).toBe(before)
  await checkGradients({ x }, ({ x }) => [reshape(x, [6]), reshape(x, [3, 2]), x])
})

test('permute by hand and its gradient up to rank 6', async () => {
  expect(await numbers(permute(x, [1, 0]))).toEqual([1, 4, 2, 5, 3, 6])
  await checkGradients({ x: draw('x', [2, 3, 4]) }, ({ x }) => permute(x, [2, 0, 1]))
  await checkGradients({ x: draw('x', [2, 1, 3, 2, 1, 2]) }, ({ x }) => permute(x, [5, 3, 0, 4, 2, 1]))
})

test('slice on every axis', async () => {
  expect(await numbers(slice(x, 1, 1, 2))).toEqual([2, 3, 5, 6])
  const y = draw('x', [3, 4, 5])
  await checkGradients({ y }, ({ y }) => [slice(y, 0, 1, 2), slice(y, 1, 0, 3), slice(y, -1, 2, 3), slice(y, 1, 0, 4)])
})

test('concat on every axis, also of one tensor twice', async () => {
  expect(await numbers(concat([x, x], 1))).toEqual([1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
  const [a, b] = [draw('a', [2, 3, 4]), draw('b', [2, 1, 4])]
  await checkGradients({ a, b }, ({ a, b }) => [concat([a, b, a], 1), concat([a, a], 0), concat([a], -1)])
})

test('concat does not notice what becomes of the array', async () => {
  const [a, b] = [draw('a', [2]), draw('b', [2])]
  const { gradients } = valueAndGrad({ a, b }, () => {
    const parts = [a, b]
    const joined = concat(parts, 0)
    parts.length = 0
    return { loss: sum(joined) }
  })
  expect(await numbers(gradients.b)).toEqual([1, 1])
})

test('chunk, with parts unused, used twice, and all used', async () => {
  expect(await numbers(chunk(x, 3)[1])).toEqual([2, 5])
  const y = draw('x', [2, 6])
  await checkGradients({ y }, ({ y }) => chunk(y, 3))
  await checkGradients({ y }, ({ y }) => chunk(y, 3)[1])
  await checkGradients({ y }, ({ y }) => {
    const [a, , c] = chunk(y, 3)
    return add(add(a, c), a)
  })
})

test('errors', () => {
  const [two, three] = [draw('a', [2, 3]), draw('b', [3, 3])]
  const cases: [() => Tensor | Tensor[], string][] = [
    [() => reshape(x, [4]), 'reshape: [2, 3] has 6 elements, which [4] does not hold'],
    [() => reshape(x, [4, -1]), 'reshape: [2, 3] has 6 elements, which [4, -1] does not hold'],
    [() => reshape(x, [-1, -1]), 'reshape: [2, 3] has 6 elements, which [-1, -1] does not hold'],
    [() => permute(x, [0, 0]), 'permute: axes must name each axis of [2, 3] once (got [0, 0])'],
    [() => permute(x, [0]), 'permute: axes must name each axis of [2, 3] once (got [0])'],
    [() => slice(x, 1, 2, 2), 'slice: 2..4 must lie within axis 1 of [2, 3]'],
    [() => slice(x, 2, 0, 1), 'slice: axis must be between -2 and 1 (got 2)'],
    [() => concat([], 0), 'concat: there must be at least one tensor'],
    [() => concat([two, three], 1), 'concat: shapes must agree but for axis 1 (got [2, 3] and [3, 3])'],
    [() => chunk(x, 2), 'chunk: the last axis of [2, 3] must divide into 2 parts'],
    [() => chunk(x, -3), 'chunk: the last axis of [2, 3] must divide into -3 parts'],
    [() => chunk(x, 0), 'chunk: the last axis of [2, 3] must divide into 0 parts'],
  ]
  for (const [run, message] of cases) expect(run).toThrow(new RangeError(message))
  expect(() => concat([x, tensor(Int32Array.of(1, 2, 3), [1, 3], { backend })], 0)).toThrow(
    new TypeError('concat: dtypes must be one (got f64 and i32)'),
  )
})
