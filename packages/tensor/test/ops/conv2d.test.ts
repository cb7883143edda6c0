import { concat, conv2d, slice, tensor } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

const image = (values: readonly number[], shape: readonly number[]) => tensor(values, shape, { backend })
const nine = image([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3])

test('by hand: the window moves row by row and the kernel is not flipped', async () => {
  const weight = image([1, 10, 100, 1000], [1, 1, 2, 2])
  const out = conv2d(nine, weight, image([0.5], [1]))
  expect(out.shape).toEqual([1, 1, 2, 2])
  expect(await numbers(out)).toEqual([5421.5, 6532.5, 8754.5, 9865.5])
})

test('by hand: two channels in, two out', async () => {
  const x = image([1, 2, 3, 4], [1, 2, 1, 2])
  const weight = image([1, 10, 100, 1000], [2, 2, 1, 1])
  expect(await numbers(conv2d(x, weight, null))).toEqual([31, 42, 3100, 4200])
})

test('by hand: zeros around the image', async () => {
  const out = conv2d(nine, image([1, 1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 3, 3]), null, { padding: 1 })
  expect(await numbers(out)).toEqual([12, 21, 16, 27, 45, 33, 24, 39, 28])
})

test('by hand: stride 2 with zeros on the right and below alone', async () => {
  const weight = image([1, 10, 100, 1000], [1, 1, 2, 2])
  const out = conv2d(nine, weight, null, { stride: 2, padding: { bottom: 1, right: 1 } })
  expect(await numbers(out)).toEqual([5421, 603, 87, 9])
})

test('padding on the left shifts what padding on the right leaves in place', async () => {
  const weight = image([0, 1, 0, 0], [1, 1, 2, 2])
  const left = conv2d(nine, weight, null, { padding: { left: 1 } })
  expect(await numbers(left)).toEqual([1, 2, 3, 4, 5, 6])
})

test('a kernel of one 1 is the identity, and scaling goes through', async () => {
  const x = draw('x', [2, 1, 4, 5])
  const out = conv2d(x, image([0, 0, 0, 0, 2, 0, 0, 0, 0], [1, 1, 3, 3]), null, { padding: 1 })
  expect(await numbers(out)).toEqual((await numbers(x)).map((value) => 2 * value))
})

test('by hand: each group sees its own channels', async () => {
  const x = image([1, 2, 3, 4], [1, 4, 1, 1])
  const weight = image([1, 10, 100, 1000, 1, 1, 2, 2], [4, 2, 1, 1])
  expect(await numbers(conv2d(x, weight, null, { groups: 2 }))).toEqual([21, 2100, 7, 14])
})

test('by hand: depthwise, with two channels of the result for each of the image', async () => {
  const x = image([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2])
  const weight = image([1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 10, 100, 1000], [4, 1, 2, 2])
  expect(await numbers(conv2d(x, weight, image([0, 0.5, 0, 0], [4]), { groups: 2 }))).toEqual([1, 4.5, 26, 8765])
})

test('by hand: the activation comes after the bias', async () => {
  const x = image([-3, -1, 2, 9], [1, 1, 1, 4])
  const [weight, bias] = [image([1], [1, 1, 1, 1]), image([1.5], [1])]
  expect(await numbers(conv2d(x, weight, bias, { activation: 'relu' }))).toEqual([0, 0.5, 3.5, 10.5])
  expect(await numbers(conv2d(x, weight, bias, { activation: 'relu6' }))).toEqual([0, 0.5, 3.5, 6])
})

test('groups are convolutions of their own, joined', async () => {
  const [x, weight] = [draw('x', [2, 6, 5, 4]), draw('weight', [9, 2, 3, 2])]
  const options = { stride: 2, padding: { top: 1, right: 2 } }
  const parts = [0, 1, 2].map((group) =>
    conv2d(slice(x, 1, 2 * group, 2), slice(weight, 0, 3 * group, 3), null, options),
  )
  const whole = conv2d(x, weight, null, { ...options, groups: 3 })
  expect(await numbers(whole)).toEqual(await numbers(concat(parts, 1)))
})

describe('gradients of groups and activations', () => {
  test.each([
    ['two groups', [4, 2, 2, 2], { groups: 2, padding: 1 }],
    ['depthwise', [4, 1, 3, 3], { groups: 4, padding: 1 }],
    ['depthwise with two results a channel, stride 2', [8, 1, 2, 3], { groups: 4, stride: 2, padding: { left: 1 } }],
    ['one group and relu', [3, 4, 2, 1], { activation: 'relu', padding: 1 }],
    ['depthwise and relu6', [4, 1, 3, 3], { groups: 4, activation: 'relu6', padding: 1 }],
  ] as const)('%s', async (_, shape, options) => {
    await checkGradients(
      { x: draw('x', [2, 4, 3, 4], 2), weight: draw('weight', shape), bias: draw('bias', [shape[0]]) },
      ({ x, weight, bias }) => conv2d(x, weight, bias, options),
    )
  })
})

describe('gradients', () => {
  test.each([
    ['one by one', [1, 1], {}],
    ['three by three with zeros around', [3, 3], { padding: 1 }],
    ['stride 2 as in a downsampler', [3, 3], { stride: 2, padding: { bottom: 1, right: 1 } }],
    ['stride 3, all sides different', [2, 4], { stride: 3, padding: { top: 2, bottom: 1, left: 3, right: 0 } }],
  ])('%s', async (_, [KH, KW], options) => {
    await checkGradients(
      { x: draw('x', [2, 2, 5, 4]), weight: draw('weight', [3, 2, KH, KW]), bias: draw('bias', [3]) },
      ({ x, weight, bias }) => conv2d(x, weight, bias, options),
    )
  })
})

test('errors', () => {
  const [x, weight, bias] = [draw('x', [1, 2, 4, 4]), draw('w', [3, 2, 3, 3]), draw('b', [3])]
  expect(() => conv2d(x, draw('w', [3, 4, 3, 3]), bias)).toThrow(
    new RangeError(
      'conv2d: weight must be [O, C, KH, KW] and bias [O] for x [B, C, H, W] (got x [1, 2, 4, 4], weight [3, 4, 3, 3], bias [3])',
    ),
  )
  expect(() => conv2d(x, weight, draw('b', [2]))).toThrow(/bias \[2\]\)$/)
  expect(() => conv2d(draw('x', [2, 4, 4]), weight, null)).toThrow(/bias null\)$/)
  expect(() => conv2d(x, weight, bias, { stride: 0 })).toThrow(
    new RangeError('conv2d: stride must be an integer of 1 or more (got 0)'),
  )
  expect(() => conv2d(x, weight, bias, { padding: { left: -1 } })).toThrow(
    new RangeError('conv2d: padding must be integers of 0 or more (left is -1)'),
  )
  expect(() => conv2d(draw('x', [1, 2, 1, 4]), weight, bias, { padding: { bottom: 1 } })).toThrow(
    new RangeError('conv2d: the window [3, 3] must fit the padded image [2, 4] (x is [1, 2, 1, 4])'),
  )
  expect(() => conv2d(x, weight, bias, { groups: 2 })).toThrow(
    new RangeError(
      'conv2d: weight must be [O, C / groups, KH, KW] and bias [O] for x [B, C, H, W] with groups 2 (got x [1, 2, 4, 4], weight [3, 2, 3, 3], bias [3])',
    ),
  )
  expect(() => conv2d(x, draw('w', [3, 1, 3, 3]), bias, { groups: 2 })).toThrow(
    new RangeError('conv2d: the 3 channels of the result do not split into 2 groups (weight is [3, 1, 3, 3])'),
  )
  expect(() => conv2d(x, weight, bias, { groups: 0 })).toThrow(
    new RangeError('conv2d: groups must be an integer of 1 or more (got 0)'),
  )
  expect(() => conv2d(x, weight, bias, { activation: 'gelu' as 'relu' })).toThrow(
    new RangeError('conv2d: activation must be none, relu or relu6 (got gelu)'),
  )
  const integers = tensor(new Int32Array(32), [1, 2, 4, 4], { backend, dtype: 'i32' })
  expect(() => conv2d(integers, weight, bias)).toThrow(TypeError)
})
