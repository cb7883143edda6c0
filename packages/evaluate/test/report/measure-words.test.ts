import { expect, test } from 'vitest'
import { readingOf } from '../../src/reading.js'
import { meaningOf, verdictOf } from '../../src/report/measure-words.js'
import { measureOf } from './example-evaluation.js'

const counts = { real: 100, generated: 100 }
const range = (low: number, high: number) => ({ low, high, standardError: 1 })
const distance = (value: number, low: number, high: number, matched = value) =>
  measureOf({
    measure: 'frechet',
    better: 'less',
    value,
    interval: range(low, high),
    floor: { value: 2, interval: range(1, 3), counts, matched },
  })

test('a value is short of real pictures only where its interval leaves the floor’s', () => {
  expect(verdictOf(distance(10, 8, 12))).toMatchObject({
    kind: 'short',
    sentence: '5.0 times what real pictures have (2.0).',
  })
  expect(verdictOf(distance(10, 3, 12)).kind).toBe('at-floor')
  expect(verdictOf(measureOf({ value: 0.45 })).sentence).toBe('50 % of what real pictures have (0.900).')
})

test('what is better than real pictures is a reason to look for copies', () => {
  expect(verdictOf(distance(0.5, 0.4, 0.6))).toMatchObject({ kind: 'beyond' })
  expect(verdictOf(measureOf({ value: 1, interval: range(0.99, 1) })).sentence).toContain('look for copies')
})

test('samples far from training pictures are no reason to look for copies', () => {
  const far = measureOf({ measure: 'authenticity', value: 1, interval: range(0.99, 1) })
  expect(verdictOf(far)).toMatchObject({ kind: 'unknown', label: 'far from training pictures' })
  expect(verdictOf(far).sentence).toContain('no sign of copying')
  expect(readingOf(far)).toBe('farther than real pictures')
})

test('with a floor of other counts, the value at these counts is compared', () => {
  // 10 in [8, 12] would be short of [1, 3]; as few samples as the floor's have 4, and so [2, 6].
  expect(verdictOf(distance(10, 8, 12, 4)).kind).toBe('at-floor')
  expect(verdictOf(distance(10, 8, 12, 6)).sentence).toBe('3.0 times what real pictures have (2.0).')
})

test('no ratio is made of a floor that cannot be told from 0', () => {
  const kid = measureOf({
    better: 'less',
    value: 0.02,
    interval: range(0.018, 0.022),
    floor: { value: 0.0001, interval: range(-0.0004, 0.0006), counts, matched: 0.02 },
  })
  expect(verdictOf(kid).sentence).toBe('Real pictures have 0.00010.')
})

test('without a floor, intervals or a value there is no verdict', () => {
  expect(verdictOf(measureOf({ floor: null })).label).toBe('no floor')
  expect(verdictOf(measureOf({ value: NaN })).label).toBe('no number')
  const floor = { value: 2, interval: null, counts, matched: 3 }
  expect(verdictOf(measureOf({ interval: null, floor })).label).toBe('no interval')
})

test('a measure that is not known by name still says to which side it is good', () => {
  expect(meaningOf({ measure: 'mine', better: 'less' })).toBe('Lower is better.')
  expect(meaningOf({ measure: 'toString', better: 'more' })).toBe('Higher is better.')
  expect(meaningOf({ measure: 'recall', better: 'more' })).toMatch(/^Share of the real pictures .* Higher is better\.$/)
})
