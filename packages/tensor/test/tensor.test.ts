import { add, exp, reshape, sum, tensor, toFloat32Array, valueAndGrad, zeros } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, draw, numbers } from './check-gradients.js'

test('says what it is', () => {
  const x = zeros([2, 3], { backend })
  expect([x.size, x.byteLength, String(x)]).toEqual([6, 48, 'Tensor([2, 3] f64 on reference)'])
})

test('use after dispose is an error, disposing twice is none', () => {
  const x = draw('x', [2, 3])
  x.dispose()
  x.dispose()
  expect(x.isAlive).toBe(false)
  const message = 'tensor [2, 3] was used after it was disposed of'
  expect(() => exp(x)).toThrow(message)
  expect(() => reshape(x, [6])).toThrow(message)
  expect(() => x.data()).toThrow(message)
})

test('memory lives until the last shape of it is disposed of', async () => {
  const before = backend.memory().buffers
  const x = tensor([1, 2], [2], { backend })
  const y = reshape(x, [1, 2])
  x.dispose()
  expect(await numbers(y)).toEqual([1, 2])
  y.dispose()
  expect(backend.memory().buffers).toBe(before)
})

test('disposing of what the backward pass needs does not hurt it', async () => {
  const x = tensor([2], [1], { backend })
  const { gradients } = valueAndGrad({ x }, () => {
    const y = exp(x)
    const z = exp(y)
    y.dispose()
    return { loss: sum(z) }
  })
  const y = Math.exp(2)
  expect((await numbers(gradients.x))[0] / (Math.exp(y) * y)).toBeCloseTo(1, 14)
})

test('toFloat32Array rounds float64', async () => {
  expect(await toFloat32Array(tensor([0.1], [1], { backend }))).toEqual(Float32Array.of(0.1))
  await expect(toFloat32Array(tensor(Int32Array.of(1), [1], { backend }))).rejects.toThrow(
    new TypeError('toFloat32Array: x must be f32 or f64 (got i32)'),
  )
})

test('tensors made outside of every scope live on', () => {
  const x = add(draw('x', [1]), draw('y', [1]))
  expect(x.isAlive).toBe(true)
})
