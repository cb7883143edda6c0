import { gatedResidual, tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

test('x + gate h by hand, the gate shared by the tokens of a sample', async () => {
  const x = tensor([1, 2, 3, 4], [1, 2, 2], { backend })
  const h = tensor([1, 1, 2, 2], [1, 2, 2], { backend })
  expect(await numbers(gatedResidual(x, tensor([10, -1], [1, 2], { backend }), h))).toEqual([11, 1, 23, 2])
})

test('a gate of 0 gives x', async () => {
  const x = draw('x', [2, 3, 4])
  const zero = tensor(new Float64Array(8), [2, 4], { backend })
  expect(await numbers(gatedResidual(x, zero, draw('h', [2, 3, 4])))).toEqual(await numbers(x))
})

test('gradients', async () => {
  const [x, gate, h] = [draw('x', [2, 3, 4]), draw('gate', [2, 4]), draw('h', [2, 3, 4])]
  await checkGradients({ x, gate, h }, ({ x, gate, h }) => gatedResidual(x, gate, h))
  await checkGradients({ x }, ({ x }) => gatedResidual(x, gate, h))
  await checkGradients({ gate }, ({ gate }) => gatedResidual(x, gate, h))
})

test('errors', () => {
  expect(() => gatedResidual(draw('x', [2, 3, 4]), draw('gate', [2, 3]), draw('h', [2, 3, 4]))).toThrow(
    new RangeError('gatedResidual: x and h must be [B, N, D] and gate [B, D] (got [2, 3, 4], [2, 3, 4], [2, 3])'),
  )
})
