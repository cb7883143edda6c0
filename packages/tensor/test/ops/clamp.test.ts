import { clamp, sum, tensor, valueAndGrad } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

test('limits values, and has gradient 1 inside with the ends, 0 outside', async () => {
  const x = tensor([-3, -1, 0.5, 2, 2.5], [5], { backend })
  const { aux, gradients } = valueAndGrad({ x }, () => {
    const y = clamp(x, -1, 2)
    return { loss: sum(y), y }
  })
  expect(await numbers(aux.y)).toEqual([-1, -1, 0.5, 2, 2])
  expect(await numbers(gradients.x)).toEqual([0, 1, 1, 1, 0])
})

test('gradient against central differences; one side may be open', async () => {
  await checkGradients({ x: draw('x', [3, 5]) }, ({ x }) => [clamp(x, -0.7, 0.6), clamp(x, -Infinity, 0.5)])
})

test('refuses limits in the wrong order, NaN, and i32', () => {
  const x = draw('x', [2])
  expect(() => clamp(x, 1, 0)).toThrow(new RangeError('clamp: low must not exceed high (got 1 and 0)'))
  expect(() => clamp(x, NaN, 0)).toThrow(RangeError)
  expect(() => clamp(tensor(Int32Array.of(1), [1], { backend }), 0, 1)).toThrow(TypeError)
})
