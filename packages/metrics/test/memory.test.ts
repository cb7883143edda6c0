import { expect, test } from 'vitest'
import { addFeatures, emptyMoments } from '../src/moments.js'
import { nearestRows } from '../src/nearest.js'
import type { Products } from '../src/products.js'
import { squaredMmd } from '../src/squared-mmd.js'

/** Products that compute nothing, and the most numbers that one of them was given. */
function countingProducts() {
  const most = { numbers: 0, calls: 0 }
  const note = (...arrays: readonly ArrayLike<number>[]) => {
    most.calls++
    most.numbers = Math.max(
      most.numbers,
      arrays.reduce((sum, { length }) => sum + length, 0),
    )
  }
  const products: Products = {
    gemm: (a, b, c) => note(a, b, c),
    syrk: (a, c) => note(a, c),
    // All distances are the same, and large.
    gemm32: (a, b, c) => note(a, b, c.fill(-1e9)),
  }
  return { products, most }
}

const zeros = (count: number, width: number) => ({ shape: [count, width], data: new Float32Array(count * width) })

test.each([
  [9000, 8],
  [4100, 400],
  [24, 200_000],
])('distances of %d rows of %d numbers come in blocks of at most 84 MB', (count, width) => {
  const { products, most } = countingProducts()
  nearestRows({ ...zeros(3, width) }, zeros(count, width), { products })
  expect(4 * most.numbers).toBeLessThan(84e6)
  expect(most.calls).toBe(Math.ceil(count / Math.min(2048, Math.floor(2 ** 22 / width))))
})

test('moments of many samples come in blocks of at most 34 MB beside the scatter', () => {
  const { products, most } = countingProducts()
  const width = 64
  addFeatures(emptyMoments(width), zeros(70_000, width), { products })
  expect(8 * (most.numbers - width * width)).toBeLessThan(34e6)
  expect(most.calls).toBe(2)
})

test('kernels of whole sets come in blocks of 1024 rows', () => {
  const { products, most } = countingProducts()
  squaredMmd(zeros(3000, 16), zeros(2000, 16), { products })
  expect(most.numbers).toBe(1024 * (1024 + 2 * 16))
  // Of 3 x 3, 2 x 2 and 3 x 2 blocks, those below the diagonals.
  expect(most.calls).toBe(6 + 3 + 6)
})
