import { describe, expect, test } from 'vitest'
import { type Estimator, fitLossLaw, type LossTable } from '../../src/index.js'
import { lawObjective, lawRows } from '../../src/fit/law-objective.js'
import { LAW, spaced, tableOf } from './tables.js'

const ESTIMATORS: readonly Estimator[] = ['huber', 'logSquares', 'linearSquares']
const sizes = spaced(1e7, 1e10, 6)
const data = spaced(1e9, 1e12, 5)

describe.each(ESTIMATORS)('%s', (estimator) => {
  test.each([LAW, { E: 0.45, A: 30, B: 90, alpha: 0.22, beta: 0.31 }, { E: 0.02, A: 3, B: 80, alpha: 0.5, beta: 0.7 }])(
    'finds the law of a table without noise: %o',
    (law) => {
      const fit = fitLossLaw(tableOf(sizes, data, { law }), { estimator })
      for (const name of ['E', 'A', 'B', 'alpha', 'beta'] as const)
        expect(fit.law[name] / law[name] - 1).toBeCloseTo(0, 6)
      expect(fit.exponentN).toBeCloseTo(law.beta / (law.alpha + law.beta), 7)
      expect(fit.warnings).toEqual([])
      expect(Math.max(...fit.residuals.map(Math.abs))).toBeLessThan(1e-9)
    },
  )

  test('has the gradient and Hessian of its value', () => {
    const { n, d, loss } = tableOf(spaced(1e7, 1e8, 3), spaced(1e9, 1e10, 3), { sigma: 0.01 })
    const rows = lawRows(n, d, loss, Float64Array.from([1, 2, 1, 0, 3, 1, 1, 1, 1]))
    const { value, derivatives } = lawObjective(rows, estimator)
    const at = [0.1, -0.2, 0.4, 0.33, 0.27]
    const moved = (i: number, by: number) => at.map((coordinate, k) => (k === i ? coordinate + by : coordinate))
    const { gradient, hessian } = derivatives(at)
    // Central differences of functions with values near 1: errors of h^2 and 1e-16 / h.
    const h = 1e-6
    for (let i = 0; i < 5; i++) {
      expect((value(moved(i, h)) - value(moved(i, -h))) / (2 * h)).toBeCloseTo(gradient[i], 6)
      const [after, before] = [derivatives(moved(i, h)).gradient, derivatives(moved(i, -h)).gradient]
      for (let j = 0; j < 5; j++) expect((after[j] - before[j]) / (2 * h)).toBeCloseTo(hessian[i][j], 5)
    }
  })

  test('no other place has a smaller objective: a table in another order and other units gives the same law', () => {
    const table = tableOf(sizes, data, { sigma: 0.01 })
    const fit = fitLossLaw(table, { estimator })
    const order = Array.from(table.n, (_, row) => row).toReversed()
    const turned = {
      n: order.map((row) => table.n[row] * 1e3),
      d: order.map((row) => table.d[row] * 1e-6),
      loss: order.map((row) => table.loss[row]),
    }
    const again = fitLossLaw(turned, { estimator })
    expect(again.objective / fit.objective - 1).toBeCloseTo(0, 9)
    expect(again.law.alpha).toBeCloseTo(fit.law.alpha, 5)
    expect(again.law.E).toBeCloseTo(fit.law.E, 5)
  })
})

test('rows that stand twice count twice', () => {
  const table = tableOf(sizes, data, { sigma: 0.01 })
  const rows = Array.from(table.n).flatMap((_, row) => (row % 2 === 0 ? [row, row] : [row]))
  const take = (values: ArrayLike<number>) => rows.map((row) => values[row])
  const weighted = fitLossLaw(table, { rows })
  const repeated = fitLossLaw({ n: take(table.n), d: take(table.d), loss: take(table.loss) })
  expect(weighted.objective).toBeCloseTo(repeated.objective, 12)
  expect(weighted.law.alpha).toBeCloseTo(repeated.law.alpha, 6)
})

test('Huber is hardly moved by runs that went wrong, and the squares are', () => {
  const table = tableOf(sizes, data, { sigma: 0.002 })
  const wrong = { ...table, loss: Array.from(table.loss, (loss, row) => (row % 10 === 3 ? 1.3 * loss : loss)) }
  const off = (estimator: Estimator) => Math.abs(fitLossLaw(wrong, { estimator }).law.beta - LAW.beta)
  expect(off('huber')).toBeLessThan(0.01)
  expect(off('logSquares')).toBeGreaterThan(4 * off('huber'))
})

describe('warns', () => {
  test('of less than a decade', () => {
    const { warnings } = fitLossLaw(tableOf(spaced(1e7, 8e7, 4), data))
    expect(warnings).toEqual([
      'n spans only a factor of 8: under a decade its exponent is hardly determined, and nothing should be extrapolated',
    ])
  })

  test('of a size and data that vary together', () => {
    const n = spaced(1e7, 1e10, 14)
    const d = n.map((size) => 20 * size)
    const loss = n.map((size, i) => LAW.E + LAW.A * size ** -LAW.alpha + LAW.B * d[i] ** -LAW.beta)
    expect(fitLossLaw({ n, d, loss }).warnings[0]).toMatch(/^the terms in n and d can hardly be told apart/)
  })

  test('of a floor that the data do not show', () => {
    const law = { E: 1e-9, A: 400, B: 410, alpha: 0.34, beta: 0.28 }
    expect(fitLossLaw(tableOf(sizes, data, { law, sigma: 0.002, seed: 3 })).warnings.join()).toMatch(
      /^$|the best floor E is 0/,
    )
    const bent = tableOf(sizes, data, { law })
    const steeper = { ...bent, loss: Array.from(bent.loss, (loss) => loss ** 1.5) }
    expect(fitLossLaw(steeper).warnings.join()).toMatch(/the best floor E is 0/)
  })
})

describe('refuses', () => {
  const table = tableOf(sizes, data)
  const first = (count: number): LossTable => ({
    n: spaced(1e7, 1e9, count),
    d: spaced(1e9, 1e10, count),
    loss: spaced(3, 2, count),
  })
  const steep = ({ n, d }: LossTable) => Array.from(n, (size, row) => 1 + (size / 1e7) ** -1.5 + 100 * d[row] ** -0.3)
  test.each<[string, () => unknown, string]>([
    [
      'five points',
      () => fitLossLaw(first(5)),
      'fitLossLaw: a law of 5 parameters needs at least 6 different points (n, d); there are 5',
    ],
    ['five points, each twice', () => fitLossLaw(first(5), { rows: [0, 1, 2, 3, 4, 0, 1, 2, 3, 4] }), 'there are 5'],
    [
      'two amounts of data',
      () => fitLossLaw(tableOf(sizes, [1e9, 1e10])),
      'fitLossLaw: a floor, a coefficient and an exponent need 3 different values of d; there are 2',
    ],
    ['one size', () => fitLossLaw(tableOf([1e9], spaced(1e9, 1e10, 8))), '3 different values of n; there is 1'],
    [
      'a loss of 0',
      () => fitLossLaw({ ...table, loss: Array.from(table.loss, (loss, row) => (row === 4 ? 0 : loss)) }),
      'fitLossLaw: loss must be positive and finite; row 4 is 0',
    ],
    ['NaN', () => fitLossLaw({ ...table, n: Array.from(table.n, () => NaN) }), 'row 0 is NaN'],
    [
      'columns of different lengths',
      () => fitLossLaw({ ...table, d: [1e9] }),
      'fitLossLaw: columns must have equal lengths (n 30, d 1, loss 30)',
    ],
    [
      'a coefficient above the largest number',
      // The terms of the usual sizes, which stand 1e300 times higher here.
      () => fitLossLaw({ ...table, n: Array.from(table.n, (n) => 1e290 * n), loss: steep(table) }),
      'fitLossLaw: with alpha = 1.50, A is too large for a number: the data do not determine them',
    ],
    ['a row that is not there', () => fitLossLaw(table, { rows: [0, 30] }), 'rows must be 0 to 29; one is 30'],
    [
      'an unknown estimator',
      () => fitLossLaw(table, { estimator: 'mean' as Estimator }),
      'estimator must be huber, logSquares or linearSquares; it is mean',
    ],
  ])('%s', (_what, work, message) => {
    expect(work).toThrow(RangeError)
    expect(work).toThrow(message)
  })
})
