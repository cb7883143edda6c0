import { describe, expect, test } from 'vitest'
import { allocateCompute, fitIsoFlop, type IsoFlopTable, lossAt } from '../../src/index.js'
import { LAW, spaced } from './tables.js'

/** Sizes about the best one of each budget, which `shift` moves. */
function isoTable(budgets: readonly number[], numSizes: number, shift = (_budget: number) => 1): IsoFlopTable {
  const points = budgets.flatMap((compute, i) => {
    const { n } = allocateCompute(LAW, compute)
    return spaced((n * shift(i)) / 3, n * shift(i) * 3, numSizes).map((size) => ({ compute, n: size }))
  })
  return {
    compute: points.map(({ compute }) => compute),
    n: points.map(({ n }) => n),
    loss: points.map(({ compute, n }) => lossAt(LAW, n, compute / (6 * n))),
  }
}

const budgets = spaced(1e19, 1e22, 5)

test('a parabola by hand: its vertex, loss and curvature', () => {
  const n = [1, 10, 100, 1000, 1, 10, 100, 1000]
  const compute = n.map((_, row) => (row < 4 ? 1e3 : 1e5))
  const loss = n.map((size, row) => 2 + 0.5 * (Math.log10(size) - (row < 4 ? 1 : 2)) ** 2)
  const { parabolas, exponentN, interceptN, interval } = fitIsoFlop({ compute, n, loss })
  expect(parabolas.map(({ nOpt }) => Math.round(1e9 * nOpt) / 1e9)).toEqual([10, 100])
  for (const { lossOpt, curvature, isInside } of parabolas) {
    expect([lossOpt, curvature, isInside]).toEqual([expect.closeTo(2, 12), expect.closeTo(0.5, 12), true])
  }
  expect(exponentN).toBeCloseTo(0.5, 12)
  expect(interceptN).toBeCloseTo(-0.5, 10)
  expect(interval).toBeNull()
})

test('the exponent of a law, and a best size that is biased since the curve is no parabola', () => {
  const { exponentN, parabolas, warnings, predict } = fitIsoFlop(isoTable(budgets, 9))
  expect(exponentN).toBeCloseTo(LAW.beta / (LAW.alpha + LAW.beta), 9)
  const bias = parabolas.map(({ compute, nOpt }) => nOpt / allocateCompute(LAW, compute).n)
  expect(Math.max(...bias) - Math.min(...bias)).toBeLessThan(1e-9)
  expect(Math.abs(bias[0] - 1)).toBeGreaterThan(1e-3)
  expect(warnings).toEqual([])
  const { nOpt, interval } = predict(1e23)
  expect(nOpt / (bias[0] * allocateCompute(LAW, 1e23).n)).toBeCloseTo(1, 6)
  expect(interval!.high).toBeGreaterThanOrEqual(interval!.low)
})

describe('warns', () => {
  test.each<[string, IsoFlopTable, RegExp]>([
    ['a vertex outside the sizes', isoTable(budgets, 7, () => 6), /the vertices of 5 of 5 budgets lie outside/],
    ['few budgets', isoTable([1e19, 1e20, 1e21], 7), /there are only 3 budgets/],
    ['budgets close to each other', isoTable(spaced(1e19, 5e19, 4), 7), /the budgets span only a factor of 5/],
    ['parabolas through three points', isoTable(budgets, 3), /5 of 5 budgets have just 3 sizes/],
    ['a window that drifts', isoTable(budgets, 7, (i) => 0.5 * 1.4 ** i), /moves through the window/],
  ])('of %s', (_what, table, message) => {
    expect(fitIsoFlop(table).warnings.join('\n')).toMatch(message)
  })
})

describe('refuses', () => {
  const table = isoTable(budgets, 5)
  test.each<[string, IsoFlopTable, string]>([
    ['one budget', isoTable([1e20], 9), 'fitIsoFlop: an exponent needs two budgets; there is 1'],
    ['two sizes', isoTable(budgets, 2), 'fitIsoFlop: a parabola needs 3 sizes; budget 1.000e+19 has 2'],
    [
      'a parabola without a minimum',
      { ...table, loss: Array.from(table.loss, (loss) => 10 - loss) },
      'fitIsoFlop: the parabola of budget 1.000e+19 has no minimum (curvature -',
    ],
    ['a loss of NaN', { ...table, loss: Array.from(table.loss, () => NaN) }, 'loss must be positive and finite'],
  ])('%s', (_what, wrong, message) => {
    expect(() => fitIsoFlop(wrong)).toThrow(RangeError)
    expect(() => fitIsoFlop(wrong)).toThrow(message)
  })
})
