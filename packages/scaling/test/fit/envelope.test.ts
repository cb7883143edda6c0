import { describe, expect, test } from 'vitest'
import { allocateCompute, fitPowerLaw, type LearningCurve, learningEnvelope, lossAt } from '../../src/index.js'
import { LAW, spaced } from './tables.js'

const curveOf = (n: number): LearningCurve => {
  const d = spaced(1e8, 1e13, 200)
  return { n, compute: d.map((data) => 6 * n * data), loss: d.map((data) => lossAt(LAW, n, data)) }
}

test('follows the best of the curves, whose size grows as the law says', () => {
  const { points, warnings } = learningEnvelope(spaced(1e7, 1e11, 41).map(curveOf), { numPoints: 30 })
  const inside = points.filter(({ isAtEdge, compute }) => !isAtEdge && compute > 1e18 && compute < 1e22)
  expect(inside.length).toBeGreaterThan(5)
  for (const { compute, n, loss } of inside) {
    const best = allocateCompute(LAW, compute)
    // Sizes are a factor of 1.26 apart.
    expect(Math.abs(Math.log(n / best.n))).toBeLessThan(0.15)
    expect(loss).toBeCloseTo(best.loss, 2)
  }
  const law = fitPowerLaw(
    inside.map(({ compute }) => compute),
    inside.map(({ n }) => n),
  )
  expect(-law.k).toBeCloseTo(LAW.beta / (LAW.alpha + LAW.beta), 1)
  expect(warnings).toEqual([])
})

test('by hand: two curves that cross', () => {
  const small = { n: 1, compute: [1, 10, 100], loss: [4, 3, 2.9] }
  const large = { n: 2, compute: [1, 10, 100], loss: [8, 3.5, 1.5] }
  const { points, warnings } = learningEnvelope([small, large], { numPoints: 3 })
  expect(points.map(({ n, loss }) => [n, Number(loss.toFixed(12))])).toEqual([
    [1, 4],
    [1, 3],
    [2, 1.5],
  ])
  expect(warnings).toEqual([
    'at 3 of 3 points the best size is the smallest or largest there: better ones may lie outside',
    'only 2 sizes are ever the best: the envelope says little',
  ])
})

describe('refuses', () => {
  const curve = { n: 1, compute: [1, 2], loss: [2, 1] }
  test.each<[readonly LearningCurve[], string]>([
    [[curve], 'learningEnvelope: there must be at least 2 curves; there are 1'],
    [[curve, { ...curve, compute: [2, 2] }], 'learningEnvelope: compute of curve 1 must rise; at 1 it is 2'],
    [[curve, { ...curve, compute: [3, 4] }], 'learningEnvelope: no amount of compute is reached by two curves'],
    [[curve, { ...curve, loss: [1, 0] }], 'learningEnvelope: curve 1: loss must be positive and finite; row 1 is 0'],
    [[curve, { ...curve, n: 0 }], 'learningEnvelope: curve 1: n must be positive and finite; row 0 is 0'],
    [[curve, { n: 1, compute: [], loss: [] }], 'learningEnvelope: curve 1 is empty'],
  ])('%o', (curves, message) => {
    expect(() => learningEnvelope(curves)).toThrow(RangeError)
    expect(() => learningEnvelope(curves)).toThrow(message)
  })
})
