import { expect, test } from 'vitest'
import { lagrangeBasis } from '../src/lagrange.js'
import { solveLinear } from '../src/solve-linear.js'

test('a basis polynomial is 1 at its node and 0 at the others', () => {
  const nodes = [0, -0.5, -2]
  const at = (polynomial: readonly number[], u: number) => polynomial.reduce((total, c, i) => total + c * u ** i, 0)
  for (const k of [0, 1, 2]) {
    expect(nodes.map((node) => at(lagrangeBasis(nodes, k), node))).toEqual(
      nodes.map((_, i) => expect.closeTo(i === k ? 1 : 0, 12)),
    )
  }
  expect(lagrangeBasis([3], 0)).toEqual([1])
})

test('solves two equations by hand, also where the first pivot is 0', () => {
  // 2 y = 4 and x + y = 3
  expect(
    solveLinear(
      [
        [0, 2],
        [1, 1],
      ],
      [4, 3],
    ),
  ).toEqual([1, 2])
  expect(solveLinear([], [])).toEqual([])
})
