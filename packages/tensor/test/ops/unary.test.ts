import {
  abs,
  affine,
  cast,
  cos,
  exp,
  gelu,
  log,
  neg,
  relu,
  relu6,
  sigmoid,
  silu,
  sin,
  sqrt,
  square,
  sum,
  tanh,
  type Tensor,
  tensor,
  valueAndGrad,
} from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

const functions = { exp, log, sqrt, square, abs, tanh, sigmoid, silu, gelu, sin, cos, neg, relu, relu6 }

test.each(Object.entries(functions))('gradient of %s', async (name, run) => {
  // Positive and away from 0, for log, sqrt and abs.
  const x = name === 'log' || name === 'sqrt' ? abs(draw('positive', [3, 5], 0.3, 2)) : draw('x', [3, 5], 2)
  await checkGradients({ x }, ({ x }) => run(x))
})

test('affine scales and shifts, with its gradient', async () => {
  const x = tensor([1, -2], [2], { backend })
  expect(await numbers(affine(x, 3, 0.5))).toEqual([3.5, -5.5])
  expect(await numbers(affine(x, 3))).toEqual([3, -6])
  await checkGradients({ x }, ({ x }) => affine(x, 3, 0.5))
})

async function at(run: (x: Tensor) => Tensor, x: number): Promise<number> {
  return (await run(tensor([x], [], { backend })).data())[0]
}

test('functions have the values known from tables', async () => {
  expect(await at(exp, 1)).toBeCloseTo(Math.E, 14)
  expect(await at(log, Math.E)).toBeCloseTo(1, 14)
  expect(await at(sqrt, 2)).toBe(Math.SQRT2)
  expect(await at(square, -3)).toBe(9)
  expect(await at(abs, -3)).toBe(3)
  expect(await at(neg, 3)).toBe(-3)
  expect(await at(tanh, 0.5)).toBeCloseTo(0.4621171572600098, 14)
  expect(await at(sigmoid, 0)).toBe(0.5)
  expect(await at(sigmoid, 1)).toBeCloseTo(0.7310585786300049, 14)
  expect(await at(silu, 1)).toBeCloseTo(0.7310585786300049, 14)
  expect(await at(sin, Math.PI / 6)).toBeCloseTo(0.5, 14)
  expect(await at(cos, Math.PI / 3)).toBeCloseTo(0.5, 14)
})

test('gelu is the tanh approximation, not the one with erf', async () => {
  // 0.5 (1 + tanh(sqrt(2 / pi) 1.044715)), worked out by hand; with erf it would be 0.841345
  const [value] = await gelu(tensor([1], [], { backend })).data()
  expect(value).toBeCloseTo(0.841192, 6)
})

test('the ends are finite', async () => {
  const x = tensor([-1000, -50, 0, 50, 1000], [5], { backend })
  expect(await numbers(sigmoid(x))).toEqual([0, expect.closeTo(0, 20), 0.5, 1, 1])
  expect(await numbers(gelu(x))).toEqual([-0, -0, 0, 50, 1000])
  expect((await numbers(silu(x))).every(Number.isFinite)).toBe(true)
})

test('abs has gradient 0 at 0', async () => {
  const x = tensor([0, -2, 2], [3], { backend })
  const { gradients } = valueAndGrad({ x }, () => ({ loss: sum(abs(x)) }))
  expect(await numbers(gradients.x)).toEqual([0, -1, 1])
})

test('relu and relu6 cut off, with gradient 0 at their corners', async () => {
  const x = tensor([-1, 0, 2, 6, 7, NaN], [6], { backend })
  expect(await numbers(relu(x))).toEqual([0, 0, 2, 6, 7, NaN])
  expect(await numbers(relu6(x))).toEqual([0, 0, 2, 6, 6, NaN])
  const finite = tensor([-1, 0, 2, 6, 7], [5], { backend })
  const slopes = async (run: (x: Tensor) => Tensor) =>
    numbers(valueAndGrad({ finite }, () => ({ loss: sum(run(finite)) })).gradients.finite)
  expect(await slopes(relu)).toEqual([0, 0, 1, 1, 1])
  expect(await slopes(relu6)).toEqual([0, 0, 1, 0, 0])
})

test('cast truncates towards zero, and passes gradients between floats', async () => {
  const x = draw('cast', [2, 3])
  expect(await numbers(cast(tensor([1.9, -1.9], [2], { backend }), 'i32'))).toEqual([1, -1])
  expect(await numbers(cast(tensor(Int32Array.of(3, -4), [2], { backend }), 'f64'))).toEqual([3, -4])
  await checkGradients({ x }, ({ x }) => cast(x, 'f64'))
})

test('i32 tensors are refused', () => {
  const i = tensor(Int32Array.of(1), [1], { backend })
  expect(() => exp(i)).toThrow(new TypeError('exp: x must be a float tensor (got i32); cast() converts'))
  expect(() => affine(i, 2)).toThrow('affine: x must be a float tensor (got i32)')
})
