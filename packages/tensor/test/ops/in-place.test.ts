import { accumulate, assign, fill, reference, tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, draw, numbers } from '../check-gradients.js'

test('accumulate adds in place and leaves the other alone', async () => {
  const [x, y] = [tensor([1, 2], [2], { backend }), tensor([10, 20], [2], { backend })]
  accumulate(x, y)
  accumulate(x, y, -0.5)
  expect(await numbers(x)).toEqual([6, 12])
  expect(await numbers(y)).toEqual([10, 20])
})

test('assign copies and converts, fill sets', async () => {
  const x = tensor([1, 2], [2], { backend })
  assign(x, tensor(Int32Array.of(3, 4), [2, 1], { backend }))
  expect(await numbers(x)).toEqual([3, 4])
  fill(x, 9)
  expect(await numbers(x)).toEqual([9, 9])
})

test('errors', () => {
  const x = draw('x', [2, 3])
  expect(() => accumulate(x, draw('y', [3]))).toThrow(
    new RangeError('accumulate: shapes must be equal (got [2, 3], [3])'),
  )
  expect(() => accumulate(x, tensor(new Int32Array(6), [2, 3], { backend }))).toThrow(
    'accumulate: tensors must be of one float type',
  )
  expect(() => assign(x, draw('y', [3]))).toThrow(new RangeError('assign: sizes must be equal (got [2, 3], [3])'))
  const other = tensor(new Float64Array(6), [2, 3], { backend: { ...reference(), name: 'elsewhere' } })
  expect(() => accumulate(x, other)).toThrow('got reference and elsewhere')
})
