import { expect, test } from 'vitest'
import { bootstrapLossLaw, extrapolationSpread, lossAt, type LossTable, widenedInterval } from '../../src/index.js'
import { LAW, tableOf } from './tables.js'

/** Four sizes at each of some budgets, with losses that `bend` changes as compute grows. */
function budgets(compute: readonly number[], bend: (compute: number) => number = () => 1): LossTable {
  const points = compute.flatMap((c) => [1e6, 3e6, 1e7, 3e7].map((n) => ({ n, d: c / n })))
  return {
    n: points.map(({ n }) => n),
    d: points.map(({ d }) => d),
    loss: points.map(({ n, d }) => lossAt(LAW, n, d) * bend(n * d)),
  }
}

const FOUR = [1e15, 3e15, 1e16, 3e16]

test('budgets that follow a law are not missed', () => {
  const spread = extrapolationSpread(budgets(FOUR))!
  // Two budgets determine the law, too: of the three largest, one to two are held out.
  expect(new Set(spread.errors.map(({ decades }) => decades.toFixed(2)))).toEqual(new Set(['0.48', '0.52', '1.00']))
  expect(spread.perDecade).toBeLessThan(1e-5)
})

test('what a law misses for each decade is found, and an interval beyond its runs holds what comes', () => {
  // Losses fall by another 5 % a decade than the law of the first budgets says.
  const bend = (compute: number) => Math.exp(-0.05 * Math.log10(compute / 1e15) ** 2)
  const table = budgets(FOUR, bend)
  const spread = extrapolationSpread(table)!
  expect(spread.perDecade).toBeGreaterThan(0.005)
  const { predict } = bootstrapLossLaw(table, { numResamples: 40 })
  const [n, d] = [3e7, 1e10]
  const { loss, run } = predict(n, d)
  const actual = lossAt(LAW, n, d) * bend(n * d)
  expect(actual).toBeLessThan(run.low)
  const widened = widenedInterval(run, loss, Math.log10((n * d) / 3e16), spread)
  expect(widened.low).toBeLessThan(actual)
  expect(widened.high).toBeGreaterThan(run.high)
})

test('an interval is widened by the root of the sum of squares, and not among the runs', () => {
  const spread = { errors: Array.from({ length: 4 }, (_, row) => ({ row, decades: 1, error: 0.1 })), perDecade: 0.1 }
  const interval = { low: Math.exp(-0.3), high: Math.exp(0.4) }
  expect(widenedInterval(interval, 1, 0, spread)).toBe(interval)
  expect(widenedInterval(interval, 1, -1, spread)).toBe(interval)
  // t of 4 degrees of freedom.
  const reach = 2 * 0.1 * 2.7764451
  const { low, high } = widenedInterval(interval, 1, 2, spread)
  expect(Math.log(low)).toBeCloseTo(-Math.hypot(0.3, reach), 6)
  expect(Math.log(high)).toBeCloseTo(Math.hypot(0.4, reach), 6)
  expect(() => widenedInterval(interval, 1, 2, spread, 1)).toThrow('level must lie between 0 and 1')
})

test('where budgets run into each other nothing can be held out', () => {
  expect(extrapolationSpread(tableOf([1e6, 1.2e6, 1.4e6], [1e7, 1.15e7, 1.3e7]))).toBeNull()
})
