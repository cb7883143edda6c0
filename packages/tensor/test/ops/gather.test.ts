import { gather, tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

const indices = tensor(Int32Array.of(2, 0, 2, 2), [4], { backend })

test('takes rows, repeated ones too', async () => {
  const table = tensor([1, 2, 3, 4, 5, 6], [3, 2], { backend })
  expect(await numbers(gather(table, indices))).toEqual([5, 6, 1, 2, 5, 6, 5, 6])
})

test('gradient: repeated rows add up, rows left out get 0', async () => {
  await checkGradients({ table: draw('table', [4, 3]) }, ({ table }) => gather(table, indices))
})

test('errors', () => {
  const table = draw('table', [4, 3])
  expect(() => gather(draw('x', [4]), indices)).toThrow('gather: table must be [R, D] and indices [I] (got [4], [4])')
  expect(() => gather(table, draw('x', [2]))).toThrow(new TypeError('gather: indices must be i32 (got f64)'))
})

test('refuses indices beyond the table', () => {
  for (const wrong of [3, -1]) {
    expect(() => gather(draw('x', [3, 1]), tensor(Int32Array.of(0, wrong), [2], { backend }))).toThrow(
      `gather: indices must be in 0..2 (got ${wrong})`,
    )
  }
})

test('names what is no tensor', () => {
  expect(() => gather(draw('x', [3, 1]), Int32Array.of(0) as never)).toThrow(/gather: operand 2 must be a Tensor/)
})
