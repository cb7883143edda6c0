import { expect, test } from 'vitest'
import { symmetricEigenvalues } from '../src/eigenvalues.js'
import { plainProducts } from '../src/products.js'
import { randomFeatures } from './random-features.js'

const expectNear = (got: Float64Array, want: number[], tolerance: number) => {
  expect(got.length).toBe(want.length)
  got.forEach((value, i) => expect(Math.abs(value - want[i])).toBeLessThanOrEqual(tolerance))
}

test('of [2, 1; 1, 2] are 1 and 3; the upper triangle is not read', () => {
  expectNear(symmetricEigenvalues(Float64Array.of(2, 99, 1, 2), 2), [1, 3], 1e-15)
  expect([...symmetricEigenvalues(Float64Array.of(-4), 1)]).toEqual([-4])
  expect([...symmetricEigenvalues(new Float64Array(9), 3)]).toEqual([0, 0, 0])
})

test('of the second difference of n points are 2 - 2 cos(k pi / (n + 1))', () => {
  const n = 60
  const matrix = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    matrix[i * n + i] = 2
    if (i > 0) matrix[i * n + i - 1] = matrix[(i - 1) * n + i] = -1
  }
  const want = Array.from({ length: n }, (_, k) => 2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)))
  expectNear(symmetricEigenvalues(matrix, n), want, 1e-14)
})

// Around one, two and three panels of the band.
test.each([2, 31, 32, 33, 34, 35, 65, 66, 97, 150])(
  'of min(i, j), %d rows, are 1 / (2 sin((2 k - 1) pi / (4 n + 2)))^2',
  (n) => {
    const matrix = Float64Array.from({ length: n * n }, (_, at) => Math.min(Math.floor(at / n), at % n) + 1)
    const want = Array.from(
      { length: n },
      (_, k) => 1 / (2 * Math.sin(((2 * (n - k) - 1) * Math.PI) / (4 * n + 2))) ** 2,
    )
    expectNear(symmetricEigenvalues(matrix, n), want, n * 2 ** -52 * want[n - 1])
  },
)

test('of all ones are 0 and n, and of the identity 1, however often', () => {
  const n = 12
  expectNear(
    symmetricEigenvalues(new Float64Array(n * n).fill(1), n),
    [...Array.from({ length: n - 1 }, () => 0), n],
    1e-14,
  )
  const identity = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0))
  expectNear(
    symmetricEigenvalues(identity, n),
    Array.from({ length: n }, () => 1),
    0,
  )
})

test.each([1, 1e-200, 1e200])('keep trace and sum of squares, and scale: times %d', (scale) => {
  const n = 45
  const gram = new Float64Array(n * n)
  plainProducts.syrk(randomFeatures(n, 30).data as Float64Array, gram, { n, k: 30 })
  const before = gram.slice()
  const values = symmetricEigenvalues(
    gram.map((x) => x * scale),
    n,
  ).map((x) => x / scale)
  let [trace, squares] = [0, 0]
  for (let i = 0; i < n; i++) trace += gram[i * n + i]
  for (const x of gram) squares += x * x
  expect(values.reduce((a, b) => a + b, 0) / trace).toBeCloseTo(1, 13)
  expect(values.reduce((a, b) => a + b * b, 0) / squares).toBeCloseTo(1, 13)
  // Rank 30: 15 eigenvalues are 0 up to n 2^-53 of the largest.
  expect(Math.abs(values[14])).toBeLessThan(n * 2 ** -52 * values[n - 1])
  expect(values[15]).toBeGreaterThan(0.01)
  expect(gram).toEqual(before)
})

// Of X X^T they are those of X^T X, and else 0: many, all of them rounding.
test.each([
  [40, 4],
  [100, 1],
  [100, 25],
  [150, 20],
])('of %d rows of rank %d are found, however many are 0', (n, rank) => {
  for (let seed = 0; seed < 4; seed++) {
    const rows = randomFeatures(n, rank, { seed }).data as Float64Array
    const columns = Float64Array.from(rows, (_, at) => rows[(at % n) * rank + Math.floor(at / n)])
    const [large, small] = [new Float64Array(n * n), new Float64Array(rank * rank)]
    plainProducts.syrk(rows, large, { n, k: rank })
    plainProducts.syrk(columns, small, { n: rank, k: n })
    const want = [...new Float64Array(n - rank), ...symmetricEigenvalues(small, rank)]
    expectNear(symmetricEigenvalues(large, n), want, n * 2 ** -53 * want[n - 1])
  }
})

test('of a block are not measured by a larger one beside it', () => {
  const tiny = 2 ** -70
  const [one, other, ...rest] = symmetricEigenvalues(
    Float64Array.of(2, 1, 0, 0, 1, 2, 0, 0, 0, 0, 2 * tiny, tiny, 0, 0, tiny, 2 * tiny),
    4,
  )
  expectNear(Float64Array.of(one / tiny, other / tiny, ...rest), [1, 3, 1, 3], 2 ** -51)
})

test('of a block whose squares vanish are no more than the block', () => {
  const tiny = 1e-170
  const values = symmetricEigenvalues(Float64Array.of(1, 0, 0, 0, tiny, tiny, 0, tiny, 2 * tiny), 3)
  expectNear(values, [0, 0, 1], 3 * tiny)
})

test('refuse a matrix that is not square or not finite', () => {
  expect(() => symmetricEigenvalues(new Float64Array(5), 2)).toThrow(
    'symmetricEigenvalues: the matrix must have 4 numbers, [2, 2]; it has 5',
  )
  expect(() => symmetricEigenvalues(Float64Array.of(1, 0, NaN, 1), 2)).toThrow('entry 2 must be finite; it is NaN')
})
