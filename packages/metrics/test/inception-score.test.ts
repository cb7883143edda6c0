import { describe, expect, test } from 'vitest'
import {
  addClassRows,
  classSumsScore,
  emptyClassSums,
  inceptionScore,
  mergeClassSums,
  type SplitRule,
} from '../src/inception-score.js'
import { randomFeatures, rowsOf } from './random-features.js'

const one = { splits: 1 }

test('certain and balanced predictions score the number of classes, equal ones 1', () => {
  const certain = rowsOf([1, 0, 0], [0, 1, 0], [0, 0, 1])
  expect(inceptionScore(certain, { ...one, input: 'probabilities' }).mean).toBeCloseTo(3, 14)
  expect(inceptionScore(rowsOf([5, 1, 0], [5, 1, 0], [5, 1, 0]), one).mean).toBeCloseTo(1, 14)
})

test('two samples by hand', () => {
  // p = (3/4, 1/4) and (1/4, 3/4) about (1/2, 1/2)
  const divergence = 0.75 * Math.log(1.5) + 0.25 * Math.log(0.5)
  const log3 = Math.log(3)
  for (const [rows, input] of [
    [rowsOf([0.75, 0.25], [0.25, 0.75]), 'probabilities'],
    [rowsOf([log3, 0], [7, 7 + log3]), 'logits'],
  ] as const)
    expect(inceptionScore(rows, { ...one, input }).mean).toBeCloseTo(Math.exp(divergence), 14)
})

test('0 log 0 is 0: probabilities that vanish in float64 score 2, not NaN', () => {
  expect(inceptionScore(rowsOf([0, -5000, -9000], [-5000, 0, -9000]), one).mean).toBeCloseTo(2, 14)
})

describe('rules of splitting 7 rows', () => {
  const rows = randomFeatures(7, 3)
  test.each<[SplitRule, [number, number][]]>([
    [
      'torch-fidelity',
      [
        [0, 2],
        [2, 4],
        [4, 7],
      ],
    ],
    [
      'dgm-eval',
      [
        [0, 2],
        [2, 4],
        [4, 6],
      ],
    ],
    [
      'torchmetrics',
      [
        [0, 3],
        [3, 6],
        [6, 7],
      ],
    ],
    [
      'adm',
      [
        [0, 4],
        [4, 7],
      ],
    ],
  ])('%s', (rule, bounds) => {
    const got = inceptionScore(rows, { rule, splits: 3, splitSize: 4 })
    expect(got.bounds).toEqual(bounds)
    const mean = got.scores.reduce((a, b) => a + b, 0) / bounds.length
    const squares = got.scores.reduce((sum, score) => sum + (score - mean) ** 2, 0)
    expect(got.mean).toBeCloseTo(mean, 14)
    const divisor = rule === 'torchmetrics' ? 2 : 3
    expect(got.std ?? -1).toBeCloseTo(rule === 'adm' ? -1 : Math.sqrt(squares / divisor), 14)
  })

  test('an order decides what is split; one split does not heed it', () => {
    const order = [6, 5, 4, 3, 2, 1, 0]
    expect(inceptionScore(rows, { splits: 3, order }).mean).not.toBe(inceptionScore(rows, { splits: 3 }).mean)
    expect(inceptionScore(rows, { splits: 1, order }).mean).toBeCloseTo(inceptionScore(rows, one).mean, 14)
  })

  test('torchmetrics may make fewer splits than asked, and has no deviation of one', () => {
    expect(inceptionScore(rows, { rule: 'torchmetrics', splits: 5 }).bounds).toHaveLength(4)
    expect(inceptionScore(rows, { rule: 'torchmetrics', splits: 1 }).std).toBeNull()
  })
})

test('sums of chunks, merged, score as the whole', () => {
  const rows = randomFeatures(31, 4, { scale: 3 })
  const whole = emptyClassSums(4)
  for (const [start, end] of [
    [0, 0],
    [0, 1],
    [1, 20],
    [20, 31],
  ]) {
    const part = emptyClassSums(4)
    addClassRows(part, { shape: [end - start, 4], data: rows.data.subarray(start * 4, end * 4) })
    mergeClassSums(whole, part)
  }
  expect(whole.count).toBe(31)
  expect(classSumsScore(whole)).toBeCloseTo(inceptionScore(rows, one).mean, 13)
})

test('warns where a split has fewer rows than there are classes', () => {
  expect(inceptionScore(randomFeatures(20, 5), { splits: 5 }).warnings).toEqual([
    'a split has 4 rows for 5 classes, and its score cannot exceed 4; take fewer splits or more samples',
  ])
  expect(inceptionScore(randomFeatures(25, 5), { splits: 5 }).warnings).toEqual([])
})

describe('refuses', () => {
  const rows = randomFeatures(7, 3)
  test.each([
    [{}, '7 rows do not fill 10 splits by the rule torch-fidelity; take splits: 7 or fewer'],
    [{ rule: 'dgm-eval' }, '7 rows do not fill 10 splits by the rule dgm-eval'],
    [{ splits: 0 }, 'splits must be a positive integer; it is 0'],
    [{ rule: 'adm', splitSize: 0.5 }, 'splitSize must be a positive integer; it is 0.5'],
    [{ rule: 'other' as 'adm' }, 'the rule must be torch-fidelity, adm, dgm-eval or torchmetrics; it is other'],
    [{ order: [0] }, 'the order must list all 7 rows; it lists 1'],
  ] as const)('%j', (options, message) => {
    expect(() => inceptionScore(rows, options)).toThrow(`inceptionScore: ${message}`)
  })

  test('probabilities that are none', () => {
    const score = (...row: number[]) => inceptionScore(rowsOf([0.5, 0.5], row), { ...one, input: 'probabilities' })
    expect(() => score(1.5, -0.5)).toThrow('inceptionScore: probabilities must be at least 0; row 1 has -0.5')
    expect(() => score(2, 3)).toThrow("those of row 1 give 5. For logits, input: 'logits'")
  })

  test('sums of other classes, and of nothing', () => {
    expect(() => mergeClassSums(emptyClassSums(3), emptyClassSums(4))).toThrow(
      'mergeClassSums: there must be as many classes as before, 3; there are 4',
    )
    expect(() => classSumsScore(emptyClassSums(3))).toThrow('the score needs at least one row; there is none')
    expect(() => emptyClassSums(0)).toThrow('the number of classes must be a positive integer; it is 0')
  })
})
