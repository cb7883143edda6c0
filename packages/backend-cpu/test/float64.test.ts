import { frechetDistance, type Products } from '@dit/metrics'
import { expect, test } from 'vitest'
import { float64 } from '../src/float64/index.js'
import { quickEngines } from './engines.js'
import { testProducts } from './float64.js'

quickEngines.forEach(testProducts)

test('are products of @dit/metrics', async () => {
  const products = await float64({ threads: 1 })
  const asked: Products = products
  const features = (seed: number) => ({
    shape: [40, 6],
    data: Float32Array.from({ length: 240 }, (_, i) => Math.sin(seed + i * i)),
  })
  const { distance } = frechetDistance(features(1), features(2), { products: asked })
  expect(distance).toBeCloseTo(frechetDistance(features(1), features(2)).distance, 12)
  await products.dispose()
})

test('no numbers, and views into a larger buffer', async () => {
  const products = await float64({ threads: 1 })
  const buffer = Float64Array.of(9, 1, 2, 3, 4, 5, 9)
  products.gemm(buffer.subarray(1, 3), buffer.subarray(3, 5), buffer.subarray(5, 6), { m: 1, n: 1, k: 2 })
  expect([...buffer]).toEqual([9, 1, 2, 3, 4, 5 + 3 + 8, 9])
  products.gemm(new Float64Array(0), new Float64Array(0), buffer.subarray(0, 1), { m: 1, n: 1, k: 0 })
  products.syrk(new Float64Array(0), new Float64Array(0), { n: 0, k: 3 })
  expect(buffer[0]).toBe(9)
  await products.dispose()
})

test('bits are the same on 1, 2 and 3 threads', async () => {
  const [m, n, k] = [150, 90, 300]
  const a = Float64Array.from({ length: m * k }, (_, i) => Math.sin(i * i))
  const results = []
  for (const threads of [1, 2, 3]) {
    const products = await float64({ threads })
    const c = new Float64Array(m * n)
    products.gemm(a, a.subarray(0, n * k), c, { m, n, k })
    results.push(c)
    await products.dispose()
  }
  expect(results[1]).toEqual(results[0])
  expect(results[2]).toEqual(results[0])
})

test('sizes that do not fit are refused, as are products after the end', async () => {
  const products = await float64({ threads: 1 })
  const [four, three] = [new Float64Array(4), new Float64Array(3)]
  expect(() => products.gemm(four, three, four, { m: 2, n: 2, k: 2 })).toThrow(
    'gemm: array 2 must have 4 numbers; it has 3',
  )
  expect(() => products.syrk(four, three, { n: 2, k: 2 })).toThrow('syrk: array 2 must have 4 numbers; it has 3')
  await products.dispose()
  expect(() => products.gemm(four, four, four, { m: 2, n: 2, k: 2 })).toThrow('was disposed of')
  await expect(float64({ threads: 0 })).rejects.toThrow("threads must be 'auto' or an integer from 1 to 64 (got 0)")
})
