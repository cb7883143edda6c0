import { expect, test } from 'vitest'
import { plainProducts } from '../src/products.js'
import { randomFeatures } from './random-features.js'

test('multiplies rows by rows: a value worked by hand, added to what is there', () => {
  const c = Float64Array.of(10, 0, 0, 0)
  plainProducts.gemm(Float64Array.of(1, 2, 3, 4, 5, 6), Float64Array.of(1, 0, 1, 0, 2, 0), c, { m: 2, n: 2, k: 3 })
  expect([...c]).toEqual([14, 4, 10, 10])
})

test.each([
  [1, 1, 1],
  [5, 3, 2],
  [4, 8, 300],
  [9, 1030, 257],
])('equals plain sums at every size: %i x %i x %i', (m, n, k) => {
  const [a, b] = [randomFeatures(m, k).data as Float64Array, randomFeatures(n, k, { seed: 2 }).data as Float64Array]
  const c = new Float64Array(m * n).fill(1)
  plainProducts.gemm(a, b, c, { m, n, k })
  let worst = 0
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 1
      for (let p = 0; p < k; p++) sum += a[i * k + p] * b[j * k + p]
      worst = Math.max(worst, Math.abs(sum - c[i * n + j]))
    }
  }
  // float64, up to 300 terms near 1
  expect(worst).toBeLessThan(1e-12)
})

test.each([
  [1, 3],
  [6, 5],
  [1027, 9],
])('a matrix times itself is symmetric and equals gemm: %i x %i', (n, k) => {
  const a = randomFeatures(n, k).data as Float64Array
  const [once, twice] = [new Float64Array(n * n), new Float64Array(n * n)]
  plainProducts.gemm(a, a, once, { m: n, n, k })
  plainProducts.syrk(a, twice, { n, k })
  expect(twice.every((value, i) => value === once[i])).toBe(true)
})
