import { reference } from '@dit/tensor'
import { expect, test } from 'vitest'
import { fastestProduct } from '../../src/time/fastest-product.js'

test('counts two FLOPs for each multiply-add of the fastest side, and stops before one that takes long', async () => {
  const backend = reference()
  // Every look at the clock is 1/64 s later: sides of 64 would take 1/64 s, and those of 128 a half.
  let now = 0
  const rate = await fastestProduct(backend, () => (now += 1 / 64))
  expect(rate).toBe(2 * 64 ** 3 * 64)
  expect(backend.memory().buffers).toBe(0)
})

test('the fastest of the sides counts, though larger ones may be slower', async () => {
  const backend = reference()
  // The beginning; 64 thrice in 1/1024 s and a look at the time; then every product takes a quarter of a second.
  const first = [0, 0, 1, 1, 2, 2, 3, 3]
  let look = 0
  const clock = () => {
    look++
    return look <= first.length ? first[look - 1] / 1024 : look / 4
  }
  expect(await fastestProduct(backend, clock)).toBe(2 * 64 ** 3 * 1024)
  // Six looks more for 128.
  expect(look).toBe(first.length + 6)
  expect(backend.memory().buffers).toBe(0)
})
