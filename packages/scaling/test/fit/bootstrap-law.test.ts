import { describe, expect, test } from 'vitest'
import { type BootstrapLawOptions, bootstrapLossLaw, fitLossLaw, heldOutExtrapolation } from '../../src/index.js'
import { LAW, spaced, tableOf } from './tables.js'

const table = tableOf(spaced(1e7, 1e10, 6), spaced(1e9, 1e12, 4), { sigma: 0.003 })
const OPTIONS = { estimator: 'logSquares', numResamples: 40 } as const

test('fits of given rows are those of the rows, and intervals lie between their quantiles', () => {
  const rows = [0, 1, 2, 3].map((shift) => Array.from(table.n, (_, i) => (i * 5 + shift * 7) % 24))
  rows[3] = rows[3].map((row, i) => (i % 6 === 0 ? rows[3][0] : row))
  const { laws, objectives, intervals } = bootstrapLossLaw(table, { rows, estimator: 'logSquares', kind: 'percentile' })
  rows.forEach((list, i) => {
    const fit = fitLossLaw(table, { rows: list, estimator: 'logSquares' })
    expect(laws[i].alpha).toBeCloseTo(fit.law.alpha, 8)
    expect(objectives[i]).toBeCloseTo(fit.objective, 12)
  })
  const sorted = laws.map(({ alpha }) => alpha).toSorted((a, b) => a - b)
  // 2.5 % of 4 numbers lies 0.075 of the way from the first to the second.
  expect(intervals.alpha.low).toBeCloseTo(sorted[0] + 0.075 * (sorted[1] - sorted[0]), 14)
})

test('equal seeds give equal intervals; expanded ones are wider by the factor for 24 runs and 5 parameters', () => {
  const of = (kind: 'percentile' | 'expanded', seed = 0) => bootstrapLossLaw(table, { ...OPTIONS, kind, seed })
  const [plain, wide] = [of('percentile'), of('expanded')]
  expect(of('percentile').intervals).toEqual(plain.intervals)
  expect(of('percentile', 1).intervals).not.toEqual(plain.intervals)
  const width = ({ intervals: { alpha } }: typeof plain) => Math.log(alpha.high / alpha.low)
  // t(0.975, 19) = 2.0930
  expect(width(wide) / width(plain)).toBeCloseTo((2.093 / 1.96) * Math.sqrt(24 / 19), 3)
})

test("by default Huber's intervals are percentiles, and those of squares are expanded", () => {
  const of = (options: BootstrapLawOptions) => bootstrapLossLaw(table, { numResamples: 10, ...options }).intervals.beta
  expect(of({})).toEqual(of({ kind: 'percentile' }))
  expect(of({ estimator: 'logSquares' })).toEqual(of({ estimator: 'logSquares', kind: 'expanded' }))
})

test('a sound table has intervals around the truth, no doubts, and a prediction with a wider interval for a run', () => {
  const bootstrap = bootstrapLossLaw(table, OPTIONS)
  for (const name of ['E', 'A', 'B', 'alpha', 'beta'] as const) {
    expect(bootstrap.intervals[name].low).toBeLessThan(LAW[name])
    expect(bootstrap.intervals[name].high).toBeGreaterThan(LAW[name])
  }
  expect([bootstrap.warnings, bootstrap.doubts]).toEqual([[], []])
  const { loss, law, run } = bootstrap.predict(1e11, 1e13)
  expect(law.low < loss && loss < law.high).toBe(true)
  expect(run.low < law.low && run.high > law.high).toBe(true)
})

test('a narrow table has doubts that say which interval is too wide', () => {
  const narrow = tableOf(spaced(1e8, 8e8, 5), spaced(1e10, 8e10, 5), { sigma: 0.003 })
  const { doubts } = bootstrapLossLaw(narrow, OPTIONS)
  expect(doubts.join('\n')).toMatch(/n spans only a factor of 8/)
  expect(doubts.join('\n')).toMatch(/the interval of beta, .* is \d+ % as wide as beta itself/)
})

describe('runs that are held out', () => {
  test('are predicted within their intervals if they follow the law, and outside if not', () => {
    const isLargest = (row: number) => table.n[row] > 9e9
    const { runs, error, numInside, bootstrap } = heldOutExtrapolation(table, isLargest, OPTIONS)
    expect(runs.map(({ row }) => row)).toEqual([20, 21, 22, 23])
    expect(error).toBeLessThan(0.01)
    expect(numInside).toBeGreaterThanOrEqual(3)
    expect(bootstrap.fit.residuals.length).toBe(20)
    const worse = { ...table, loss: Array.from(table.loss, (loss, row) => (isLargest(row) ? 1.1 * loss : loss)) }
    const failed = heldOutExtrapolation(worse, isLargest, OPTIONS)
    expect(failed.numInside).toBe(0)
    expect(failed.error).toBeCloseTo(Math.log(1.1), 1)
  })

  test('must exist', () => {
    expect(() => heldOutExtrapolation(table, () => false)).toThrow(
      'heldOutExtrapolation: at least one row must be held out',
    )
    expect(() => heldOutExtrapolation(table, () => true)).toThrow('there are 0')
  })
})

test.each<[object, string]>([
  [{ numResamples: 1 }, 'bootstrapLossLaw: there must be at least 2 resamples; there are 1'],
  [{ level: 95 }, 'bootstrapLossLaw: level must lie between 0 and 1; it is 95'],
  [{ kind: 'basic' }, 'bootstrapLossLaw: kind must be percentile or expanded; it is basic'],
  [{ rows: [[0, 1], [0]] }, 'needs at least 6 different points'],
])('refuses %o', (options, message) => {
  expect(() => bootstrapLossLaw(table, options)).toThrow(RangeError)
  expect(() => bootstrapLossLaw(table, options)).toThrow(message)
})
