import {
  add,
  div,
  equal,
  greater,
  less,
  maximum,
  minimum,
  mul,
  reference,
  sub,
  sum,
  tensor,
  valueAndGrad,
  where,
} from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

const operations = { add, sub, mul, div, maximum, minimum }
const pairs: [number[], number[]][] = [
  [
    [3, 5],
    [3, 5],
  ],
  [[3, 5], []],
  [[], [3, 5]],
  [[3, 5], [5]],
  [[5], [3, 5]],
  [
    [3, 1],
    [1, 5],
  ],
  [
    [2, 3, 2],
    [3, 1],
  ],
  [
    [1, 3, 1, 2],
    [2, 1, 4, 1],
  ],
  [[1], [1, 1]],
]

describe.each(Object.entries(operations))('%s', (_, run) => {
  test.each(pairs)('gradients of both operands, %j with %j', async (a, b) => {
    // b away from 0 for the division, and no ties
    await checkGradients({ a: draw('a', a), b: draw('b', b, 0.1, 1.5) }, ({ a, b }) => run(a, b))
  })

  test('gradient by one operand alone, and by one tensor as both', async () => {
    const [a, b] = [draw('a', [3, 2]), draw('b', [3, 2], 0.1, 2)]
    await checkGradients({ a }, ({ a }) => run(a, b))
    await checkGradients({ b }, ({ b }) => run(a, b))
    if (run !== maximum && run !== minimum) await checkGradients({ b }, ({ b }) => run(b, b))
  })
})

test('values by hand', async () => {
  const [a, b] = [tensor([1, 2, 3, 4], [2, 2], { backend }), tensor([2, 4], [2], { backend })]
  expect(await numbers(add(a, b))).toEqual([3, 6, 5, 8])
  expect(await numbers(sub(a, b))).toEqual([-1, -2, 1, 0])
  expect(await numbers(mul(a, b))).toEqual([2, 8, 6, 16])
  expect(await numbers(div(a, b))).toEqual([0.5, 0.5, 1.5, 1])
  expect(await numbers(maximum(a, b))).toEqual([2, 4, 3, 4])
  expect(await numbers(minimum(a, b))).toEqual([1, 2, 2, 4])
  expect(await numbers(greater(a, b))).toEqual([0, 0, 1, 0])
  expect(await numbers(less(a, b))).toEqual([1, 1, 0, 0])
  expect(await numbers(equal(a, b))).toEqual([0, 0, 0, 1])
})

test('ties of maximum and minimum give the gradient to the first operand', async () => {
  const [a, b] = [draw('tie', [3]), draw('tie', [3])]
  for (const run of [maximum, minimum]) {
    const { gradients } = valueAndGrad({ a, b }, () => ({ loss: sum(run(a, b)) }))
    expect(await numbers(gradients.a)).toEqual([1, 1, 1])
    expect(await numbers(gradients.b)).toEqual([0, 0, 0])
  }
})

describe('where', () => {
  const condition = tensor([1, 0, 1, 0, 0, 1], [2, 3], { backend })

  test('takes a where the condition is not 0', async () => {
    const out = where(condition, tensor([7], [], { backend }), tensor([1, 2, 3], [3], { backend }))
    expect(await numbers(out)).toEqual([7, 2, 7, 1, 2, 7])
  })

  test.each([
    [
      [2, 3],
      [2, 3],
    ],
    [[3], []],
    [
      [2, 1],
      [4, 1, 3],
    ],
  ])('gradients, %j and %j', async (a, b) => {
    await checkGradients({ a: draw('a', a), b: draw('b', b) }, ({ a, b }) => where(condition, a, b))
  })

  test('keeps NaN of the branch not taken out of the gradient', async () => {
    const a = tensor([1, -1], [2], { backend })
    const { loss, gradients } = valueAndGrad({ a }, () => ({
      loss: sum(where(greater(a, tensor([0], [], { backend })), div(a, a), tensor([0, 0], [2], { backend }))),
    }))
    expect(await numbers(loss)).toEqual([1])
    expect((await numbers(gradients.a)).every(Number.isFinite)).toBe(true)
  })
})

test('errors name the operation, the shapes, the dtypes', () => {
  const [a, b] = [draw('a', [2, 3]), draw('b', [2])]
  const i = tensor(Int32Array.of(1, 2), [2], { backend })
  expect(() => add(a, b)).toThrow(new RangeError('add: shapes must broadcast (got [2, 3] and [2])'))
  expect(() => mul(b, i)).toThrow(
    new TypeError('mul: tensors must be of one float type (got f64, i32); cast() converts'),
  )
  expect(() => greater(i, i)).toThrow('greater: tensors must be of one float type (got i32, i32)')
  expect(() => where(a, b, i)).toThrow('where: tensors must be of one float type')
  expect(() => where(a, a, b)).toThrow('where: shapes must broadcast')
})

test('tensors of two backends are a TypeError naming both', () => {
  const other = { ...reference(), name: 'elsewhere' }
  const [a, b] = [draw('a', [2]), tensor([1, 2], [2], { backend: other })]
  const message = 'tensors must live on one backend (got reference and elsewhere); move one with toBackend'
  expect(() => add(a, b)).toThrow(new TypeError(`add: ${message}`))
  expect(() => where(a, a, b)).toThrow(new TypeError(`where: ${message}`))
})
