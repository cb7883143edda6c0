import { describe, expect, test } from 'vitest'
import {
  allocateCompute,
  computeForLoss,
  lossAt,
  PUBLISHED_LAWS,
  rankCandidates,
  sizeExponent,
} from '../../src/index.js'
import { LAW } from './tables.js'

test('the loss of a law by hand', () => {
  const law = { E: 1, A: 6, B: 8, alpha: 0.5, beta: 1 }
  expect(lossAt(law, 9, 4)).toBe(1 + 6 / 3 + 8 / 4)
  expect(sizeExponent(law)).toBeCloseTo(2 / 3, 15)
})

describe('allocation', () => {
  const compute = 1e21
  const best = allocateCompute(LAW, compute)

  test('spends the compute, and neighbours on the same budget are worse', () => {
    expect(6 * best.n * best.d).toBeCloseTo(compute, -8)
    for (const factor of [0.9, 0.99, 1.01, 1.1]) {
      expect(lossAt(LAW, best.n * factor, best.d / factor)).toBeGreaterThan(best.loss)
    }
  })

  test('grows as the exponent says', () => {
    const { n } = allocateCompute(LAW, 100 * compute)
    expect(Math.log10(n / best.n)).toBeCloseTo(2 * sizeExponent(LAW), 12)
  })

  test('the compute for a loss is its inverse', () => {
    const back = computeForLoss(LAW, best.loss)
    expect(back.compute / compute).toBeCloseTo(1, 9)
    expect(back.n / best.n).toBeCloseTo(1, 9)
    expect(computeForLoss(LAW, best.loss, 3).compute / compute).toBeCloseTo(0.5, 9)
  })

  test('candidates are ranked by what they reach with the budget', () => {
    const candidates = [1e8, best.n, 1e11].map((n) => ({ n, costPerExample: 6 * n }))
    const [first, second] = rankCandidates(LAW, candidates, compute)
    expect(first.candidate.n).toBe(best.n)
    expect(first.loss).toBeCloseTo(best.loss, 12)
    expect(second.loss).toBeGreaterThan(first.loss)
  })

  test.each<[() => unknown, string]>([
    [() => allocateCompute(LAW, 0), 'allocateCompute: compute must be positive and finite (0)'],
    [() => allocateCompute(LAW, 1, -6), 'allocateCompute: cost must be positive and finite (-6)'],
    [() => computeForLoss(LAW, 1.7), 'computeForLoss: the law never reaches 1.7; its floor E is 1.7'],
    [() => rankCandidates(LAW, [], 1), 'rankCandidates: there must be at least one candidate'],
    [() => rankCandidates(LAW, [{ n: 1, costPerExample: 0 }], 1), 'rankCandidates: costPerExample must be positive'],
  ])('refuses %s', (work, message) => {
    expect(work).toThrow(RangeError)
    expect(work).toThrow(message)
  })
})

test("published laws: Chinchilla's own size for its budget of 5.76e23 FLOPs is about 40 billion parameters", () => {
  // Hoffmann et al. 2022, table A3: approach 3 gives 40 B.
  const { n } = allocateCompute(PUBLISHED_LAWS.hoffmann2022.law, 5.76e23)
  expect(n / 1e9).toBeGreaterThan(30)
  expect(n / 1e9).toBeLessThan(45)
  for (const { about } of Object.values(PUBLISHED_LAWS)) expect(about).toMatch(/language models/)
})
