import { expect, test } from 'vitest'
import { fitRateRule } from '../../src/index.js'

const rates = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]
const tableOf = (best: (hidden: number) => number, sizes = [64, 128, 256]) => {
  const points = sizes.flatMap((hidden) => rates.map((rate) => ({ hidden, rate })))
  return {
    hidden: points.map(({ hidden }) => hidden),
    rate: points.map(({ rate }) => rate),
    loss: points.map(({ hidden, rate }) => 0.1 + 0.05 * Math.log10(rate / best(hidden)) ** 2),
  }
}

test('finds the rule that the best rates follow', () => {
  const rule = fitRateRule(tableOf((hidden) => 2e-3 * (hidden / 64) ** -0.5))
  expect(rule.power).toBeCloseTo(-0.5, 9)
  expect(rule.atHidden).toBeCloseTo(128, 9)
  expect(rule.rate / (2e-3 * 2 ** -0.5)).toBeCloseTo(1, 9)
  expect(rule.best[0].rate / 2e-3).toBeCloseTo(1, 9)
  expect(rule.warnings).toEqual([])
})

test('a cliff above the best rates does not lower them', () => {
  const table = tableOf((hidden) => 1e-3 * (hidden / 64) ** -0.5)
  const loss = table.loss.map((each, row) => (table.rate[row] > 5e-3 ? 1 : each))
  const { best, power } = fitRateRule({ ...table, loss })
  expect(best.map(({ rate }) => rate / 1e-3)).toEqual([1, 2 ** -0.5, 0.5].map((rate) => expect.closeTo(rate, 9)))
  expect(power).toBeCloseTo(-0.5, 9)
})

test('warns of best rates outside those tried, and of two sizes', () => {
  const { warnings, powerInterval } = fitRateRule(tableOf((hidden) => 2e-3 * (64 / hidden) ** -3, [64, 128]))
  expect(warnings).toEqual([
    'the best rate of hidden 128 lies outside those that were tried: try larger',
    'two sizes: a line passes through both, and the rule has no interval',
  ])
  expect(powerInterval).toBeNull()
})

test.each<[() => unknown, string]>([
  [() => fitRateRule(tableOf(() => 1e-3, [64])), 'fitRateRule: a rule needs two sizes; there is 1'],
  [
    () => fitRateRule({ hidden: [64, 64, 32, 32, 32], rate: [1, 2, 1, 2, 3], loss: [1, 1, 1, 1, 1] }),
    'fitRateRule: hidden 64 needs 3 learning rates; it has 2',
  ],
  [
    () => fitRateRule({ ...tableOf(() => 1e-3), loss: tableOf(() => 1e-3).loss.map((loss) => 1 - loss) }),
    'fitRateRule: the loss of hidden 64 has no minimum over its learning rates; try smaller and larger ones',
  ],
  [
    () => fitRateRule({ hidden: [1], rate: [0], loss: [1] }),
    'fitRateRule: rate must be positive and finite; row 0 is 0',
  ],
])('refuses %s', (work, message) => {
  expect(work).toThrow(RangeError)
  expect(work).toThrow(message)
})
