import { expect, test } from 'vitest'
import type { Comparison, MeasureDifference } from '../../src/comparison.js'
import { comparisonPage } from '../../src/report/comparison-page.js'
import { BLUE, comparisonOf, evaluationOf, RED, setOf } from './example-evaluation.js'
import { dataOf, FORGOTTEN, textOf } from './page-of.js'

const [difference] = comparisonOf().measures
const differenceOf = (changes: Partial<MeasureDifference>): MeasureDifference => ({ ...difference, ...changes })

test('says which of the two is better, by each measure and in sum', () => {
  const measures = [
    difference,
    differenceOf({ title: 'Recall', winner: 'first' }),
    differenceOf({ title: 'Precision', winner: null }),
    differenceOf({ title: 'Vendi', winner: null, interval: null, warnings: ['No interval: too slow.'] }),
  ]
  const text = textOf(comparisonPage(comparisonOf({ measures }), { command: 'dit eval --compare a b' }))
  for (const part of [
    'runs/first and runs/second',
    'Of 4 measures, the first is better by 1, the second by 1; by 2 they cannot be told apart.',
    'first 0.0200 second 0.0100 difference −0.0100 (−0.0150 to −0.0050)',
    'second is better',
    'no difference seen',
    'not decided',
    'Vendi: No interval: too slow.',
    'paired: sample by sample',
    'dit eval --compare a b',
  ])
    expect(text).toContain(part)
  expect(text).not.toMatch(FORGOTTEN)
})

test('a comparison that is not paired, or has no measure in common, says so', () => {
  const text = textOf(comparisonPage(comparisonOf({ isPaired: false, measures: [] })))
  expect(text).toContain('not paired: samples of the two have nothing to do with each other')
  expect(text).toContain('There is no measure that both have.')
})

test('grids of both are shown with whose they are, where the evaluations are given', () => {
  const grid = (picture: string) => evaluationOf({ grids: [{ title: 'Samples', picture, width: 8, height: 8 }] })
  const page = comparisonPage(comparisonOf(), { evaluations: [grid(RED), grid(BLUE)] })
  expect(textOf(page)).toContain('First: Samples Second: Samples')
  expect(page).toContain(RED)
  expect(page).toContain(BLUE)
  expect(textOf(comparisonPage(comparisonOf()))).not.toContain('Pictures')
})

test('names cannot run, equal comparisons give equal bytes, and the JSON is the comparison', () => {
  const evil = '<script>alert(1)</script>'
  const comparison = comparisonOf({ first: setOf(evil), measures: [differenceOf({ title: evil })], warnings: [evil] })
  const page = comparisonPage(comparison, { command: evil })
  expect(page.match(/<script\b/g)).toHaveLength(2)
  expect(page).toBe(comparisonPage(JSON.parse(JSON.stringify(comparison)) as Comparison, { command: evil }))
  expect(dataOf(page)).toEqual(comparison)
})
