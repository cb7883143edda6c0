import { solvePositive } from './linear-algebra.js'
import type { LawRows } from './law-objective.js'

/** Exponents of the grid from which fits start. */
const EXPONENTS = [0.05, 0.1, 0.15, 0.2, 0.26, 0.32, 0.4, 0.5, 0.65, 0.8, 1, 1.3, 1.7]

/**
 * Places to start from, the best first: for each pair of exponents of a grid, the three coefficients by non-negative least squares of
 * relative errors (variable projection), and of these the ones that no neighbour on the grid beats.
 *
 * Golub & Pereyra 1973, "The Differentiation of Pseudo-Inverses and Nonlinear Least Squares Problems Whose Variables Separate".
 */
export function lawStarts(rows: LawRows, count: number): number[][] {
  const size = EXPONENTS.length
  const cells = EXPONENTS.flatMap((alpha) => EXPONENTS.map((beta) => projected(rows, alpha, beta)))
  const isLowest = cells.map(({ value }, place) => {
    const [i, j] = [Math.floor(place / size), place % size]
    return cells.every((other, at) => {
      const isNear = Math.abs(Math.floor(at / size) - i) <= 1 && Math.abs((at % size) - j) <= 1
      return at === place || !isNear || value <= other.value
    })
  })
  const order = [...cells.keys()].toSorted(
    (a, b) => Number(isLowest[b]) - Number(isLowest[a]) || cells[a].value - cells[b].value,
  )
  return order.slice(0, count).map((place) => cells[place].at)
}

/** Coefficients for given exponents, as a place for `minimise`, and their sum of squared relative errors. */
function projected(rows: LawRows, alpha: number, beta: number): { at: number[]; value: number } {
  const { x, y, loss, weights } = rows
  const gram = [0, 1, 2].map(() => [0, 0, 0])
  const right = [0, 0, 0]
  let total = 0
  for (let row = 0; row < x.length; row++) {
    const each = [Math.exp(-alpha * x[row]), Math.exp(-beta * y[row]), 1].map((term) => term / loss[row])
    total += weights[row]
    for (let i = 0; i < 3; i++) {
      right[i] += weights[row] * each[i]
      for (let j = 0; j < 3; j++) gram[i][j] += weights[row] * each[i] * each[j]
    }
  }
  const { solution, value } = nonNegative(gram, right, total)
  const mean = loss.reduce((sum, each) => sum + each, 0) / loss.length
  // A coefficient of 0 has no logarithm: it starts as a hundredth of the loss.
  const [a, b, e] = solution.map((coefficient) => Math.log(Math.max(coefficient, mean / 100)))
  return { at: [a, b, e, alpha, beta], value }
}

/** Least squares with three coefficients of 0 or more: the best of all choices of those that are not 0. */
function nonNegative(gram: number[][], right: number[], total: number): { solution: number[]; value: number } {
  let best = { solution: [0, 0, 0], value: total }
  for (let choice = 1; choice < 8; choice++) {
    const kept = [0, 1, 2].filter((i) => (choice >> i) & 1)
    const found = solvePositive(
      kept.map((i) => kept.map((j) => gram[i][j])),
      kept.map((i) => right[i]),
    )
    if (found === null || found.some((coefficient) => coefficient < 0)) continue
    const value = total - found.reduce((sum, coefficient, k) => sum + coefficient * right[kept[k]], 0)
    if (value >= best.value) continue
    const solution = [0, 0, 0]
    kept.forEach((i, k) => (solution[i] = found[k]))
    best = { solution, value }
  }
  return best
}
