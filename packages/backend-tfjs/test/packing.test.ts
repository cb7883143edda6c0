import { linear, matmul, reshape, type Tensor, tensor } from '@dit/tensor'
import { fromTf, tfjs, toTf } from '@dit/backend-tfjs'
import * as tf from '@tensorflow/tfjs-core'
import { beforeEach, expect, test } from 'vitest'

// tfjs on wasm looks up the packed right side of a product by its data alone: the product of [1, 1, 1] and the second shape
// of these values would be 5 7, made with the first shape.
const backend = await tfjs({ engine: 'wasm' })
const values = [1, 2, 3, 4, 5, 6]
const ones = (count: number) =>
  tensor(
    Array.from({ length: count }, () => 1),
    [1, count],
    { backend },
  )
const list = async (x: Tensor | tf.Tensor) => [...(await x.data())]

beforeEach(async () => {
  await tf.setBackend('wasm')
})

test('one buffer under two shapes is the right side of two products', async () => {
  const wide = tensor(values, [2, 3], { backend })
  const tall = reshape(wide, [3, 2])
  expect(await list(matmul(ones(2), wide))).toEqual([5, 7, 9])
  expect(await list(matmul(ones(3), tall))).toEqual([9, 12])
  expect(await list(matmul(ones(2), wide))).toEqual([5, 7, 9])
})

test('weights with one row or column, which need no transposition, keep their shapes apart', async () => {
  const column = tensor([1, 2, 3], [3, 1], { backend })
  const row = reshape(column, [1, 3])
  const bias = tensor([10], [1], { backend })
  expect(await list(linear(tensor([2], [1, 1], { backend }), column, null))).toEqual([2, 4, 6])
  expect(await list(linear(ones(3), row, bias))).toEqual([16])
})

test('what tfjs code has multiplied by comes in unharmed', async () => {
  const wide = tf.tensor2d(values, [2, 3])
  expect(await list(tf.matMul(tf.ones([1, 2]), wide))).toEqual([5, 7, 9])
  const tall = reshape(fromTf(wide, { backend }), [3, 2])
  expect(await list(matmul(ones(3), tall))).toEqual([9, 12])
})

test('what was multiplied by goes out unharmed', async () => {
  const wide = tensor(values, [2, 3], { backend })
  expect(await list(matmul(ones(2), wide))).toEqual([5, 7, 9])
  expect(await list(tf.matMul(tf.ones([1, 3]), tf.reshape(toTf(wide), [3, 2])))).toEqual([9, 12])
})

test('what tfjs code multiplies by after it went out stays right here', async () => {
  const wide = tensor(values, [2, 3], { backend })
  expect(await list(tf.matMul(tf.ones([1, 3]), tf.reshape(toTf(wide), [3, 2])))).toEqual([9, 12])
  expect(await list(matmul(ones(2), wide))).toEqual([5, 7, 9])
})
