import { expect, test } from 'vitest'
import { float64, type Float64Products } from '../src/float64/index.js'
import type { Engine } from './engines.js'

const wave = (length: number, seed: number) => Float64Array.from({ length }, (_, i) => Math.sin(seed + i * i))

/** a b^T in plain loops */
function rowsTimesRows(a: ArrayLike<number>, b: ArrayLike<number>, m: number, n: number, k: number): Float64Array {
  const c = new Float64Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      for (let p = 0; p < k; p++) c[i * n + j] += a[i * k + p] * b[j * k + p]
    }
  }
  return c
}

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0)

/** Against plain loops, at sizes with and without remainders of tiles, strips and stretches. */
export function testProducts({ label, options }: Engine): void {
  test(`${label}: products equal plain sums, added to what is there`, async () => {
    const products: Float64Products = await float64(options)
    for (const [m, n, k] of [
      [1, 1, 1],
      [3, 17, 5],
      [65, 130, 257],
      [24, 2060, 2],
    ]) {
      const [a, b] = [wave(m * k, 1), wave(n * k, 2)]
      const want = rowsTimesRows(a, b, m, n, k)
      const c = new Float64Array(m * n).fill(2)
      products.gemm(a, b, c, { m, n, k })
      // float64 and float32, up to 257 terms below 1
      expect(
        largestDifference(
          c.map((value) => value - 2),
          want,
        ),
      ).toBeLessThan(1e-13)
      const single = new Float32Array(m * n).fill(7)
      products.gemm32(Float32Array.from(a), Float32Array.from(b), single, { m, n, k })
      expect(largestDifference(single, want)).toBeLessThan(1e-4)
    }
    await products.dispose()
  })

  test(`${label}: a matrix times itself is symmetric, also beyond a panel`, async () => {
    const products = await float64(options)
    for (const [n, k] of [
      [1, 3],
      [70, 300],
      [2100, 3],
    ]) {
      const a = wave(n * k, 1)
      const [c, all] = [new Float64Array(n * n), new Float64Array(n * n)]
      for (let i = 0; i < n; i++) c[i * n + i] = all[i * n + i] = i
      products.syrk(a, c, { n, k })
      products.gemm(a, a, all, { m: n, n, k })
      expect(c.every((value, i) => value === c[(i % n) * n + Math.floor(i / n)])).toBe(true)
      expect(c.every((value, i) => Math.abs(value - all[i]) < 1e-12)).toBe(true)
    }
    await products.dispose()
  })
}
