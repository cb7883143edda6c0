import type { Features } from '../src/features.js'
import { plainProducts, type Products } from '../src/products.js'

/** Products whose float32 sums are wrong by up to their bound, in either direction. */
export const wrongInSingle: Products = {
  ...plainProducts,
  gemm32(a, b, c, { m, n, k }) {
    const bound = (k * 2 ** -24) / (1 - k * 2 ** -24)
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let [sum, sizes] = [0, 0]
        for (let p = 0; p < k; p++) {
          sum += a[i * k + p] * b[j * k + p]
          sizes += Math.abs(a[i * k + p] * b[j * k + p])
        }
        c[i * n + j] = sum + ((i + j) % 2 === 0 ? 0.9 : -0.9) * bound * sizes
      }
    }
  },
}

/** Products that lose everything, as where float32 overflows. */
export const lost: Products = { ...plainProducts, gemm32: (_a, _b, c) => void c.fill(NaN) }

/** Squared distance of two rows. */
export function distanceOf(a: Features, i: number, b: Features, j: number): number {
  const width = a.shape[1]
  let sum = 0
  for (let p = 0; p < width; p++) sum += (a.data[i * width + p] - b.data[j * width + p]) ** 2
  return sum
}
