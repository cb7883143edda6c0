import { expect, test } from 'vitest'
import { inversePositive, solvePositive, symmetricEigenvalues } from '../../src/fit/linear-algebra.js'
import { minimise } from '../../src/fit/newton.js'

test('solves and inverts a positive definite matrix, and refuses another', () => {
  // [[4, 2], [2, 3]] has determinant 8.
  expect(
    solvePositive(
      [
        [4, 2],
        [2, 3],
      ],
      [8, 8],
    )!.map((x) => x.toFixed(12)),
  ).toEqual(['1.000000000000', '2.000000000000'])
  const inverse = inversePositive([
    [4, 2],
    [2, 3],
  ])!
  expect(inverse.flat().map((x) => Number((8 * x).toFixed(12)))).toEqual([3, -2, -2, 4])
  expect(
    solvePositive(
      [
        [1, 2],
        [2, 1],
      ],
      [1, 1],
    ),
  ).toBeNull()
  expect(
    inversePositive([
      [1, 1],
      [1, 1],
    ]),
  ).toBeNull()
})

test('eigenvalues of a symmetric matrix: their sum and product are trace and determinant', () => {
  const values = symmetricEigenvalues([
    [2, -1, 0],
    [-1, 2, -1],
    [0, -1, 2],
  ])
  // 2 - sqrt 2, 2, 2 + sqrt 2
  ;[2 - Math.SQRT2, 2, 2 + Math.SQRT2].forEach((want, i) => expect(values[i]).toBeCloseTo(want, 13))
})

test("finds the bottom of Rosenbrock's valley from the usual start", () => {
  const { at, value, isConverged } = minimise(
    {
      value: ([x, y]) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
      derivatives: ([x, y]) => ({
        value: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
        gradient: [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
        hessian: [
          [2 - 400 * (y - 3 * x * x), -400 * x],
          [-400 * x, 200],
        ],
      }),
    },
    [-1.2, 1],
  )
  expect([at[0], at[1]]).toEqual([expect.closeTo(1, 8), expect.closeTo(1, 8)])
  expect(value).toBeLessThan(1e-16)
  expect(isConverged).toBe(true)
})
