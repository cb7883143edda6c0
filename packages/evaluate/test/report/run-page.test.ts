import { describe, expect, test } from 'vitest'
import { type RunGrid, runPage, type RunRecord, type RunReport } from '../../src/report/run-page.js'
import { BLUE, measureOf, RED } from './example-evaluation.js'
import { dataOf, FORGOTTEN, textOf } from './page-of.js'

const recordsOf = (count: number): RunRecord[] =>
  Array.from({ length: count }, (_, i) => ({
    step: i + 1,
    loss: 1 / Math.sqrt(i + 1),
    learningRate: 1e-3,
    examples: 32 * (i + 1),
    ...((i + 1) % 100 === 0 ? { measures: { heldOut: 1 / (i + 1), heldOutSnr10: 0.1, 'heldOutSnr0.1': 0.5 } } : {}),
  }))

function reportOf(changes: Partial<RunReport> = {}): RunReport {
  return {
    name: 'runs/pets',
    state: 'training',
    steps: 1000,
    config: { recipe: { name: 'pictures', batchSize: 32 }, classes: ['cat', 'dog'], modelName: null },
    records: recordsOf(500),
    evaluations: [200, 400].map((step) => ({
      step,
      measures: [measureOf({ measure: 'kid', title: 'Kernel distance', value: 10 / step, better: 'less' })],
    })),
    grids: [{ step: 400, title: 'Step 400', picture: RED, width: 8, height: 8 }],
    best: { step: 400, measure: 'kid', value: 0.025 },
    warnings: [],
    ...changes,
  }
}

const titlesOf = (page: string) => [...page.matchAll(/<figcaption>([^<]*)/g)].map(([, title]) => title)

test('shows progress, curves of all that was measured, the best checkpoint, samples and settings', () => {
  const page = runPage(reportOf())
  expect(titlesOf(page)).toEqual([
    'Loss (log scale)',
    'Error on held-out pictures',
    'Held-out error by signal-to-noise ratio',
    'Kernel distance',
    'Learning rate',
    'Step 400',
  ])
  const text = textOf(page)
  for (const part of [
    'Step 500 of 1,000 (50 %), training',
    'best checkpoint, step 400',
    'signal to noise 0.1',
    'Measures at step 400',
    'floor: real against real',
    'Training examples seen 16,000',
    'recipe.batchSize 32',
    'cat, dog',
  ])
    expect(text).toContain(part)
  expect(text).not.toMatch(FORGOTTEN)
})

test('a browser loads the page again every 30 seconds while the run trains, and not after', () => {
  expect(runPage(reportOf())).toContain('<meta http-equiv="refresh" content="30"')
  for (const state of ['finished', 'stopped'] as const)
    expect(runPage(reportOf({ state }))).not.toContain('http-equiv="refresh"')
  expect(textOf(runPage(reportOf({ state: 'stopped' })))).toContain('stopped before its last step')
})

describe('parts that are not there leave no trace', () => {
  const without: Readonly<Record<string, Partial<RunReport>>> = {
    'no record yet': { records: [], evaluations: [], grids: [], best: null },
    'one record': { records: recordsOf(1), evaluations: [], grids: [], best: null },
    'no evaluation, and no best checkpoint': { evaluations: [], best: null },
    'an evaluation without measures': { evaluations: [{ step: 5, measures: [] }] },
    'measures without intervals and floors': {
      evaluations: [{ step: 5, measures: [measureOf({ interval: null, floor: null })] }],
    },
    'a loss that is no number': { records: [{ step: 1, loss: NaN, learningRate: 0 }] },
    'a loss of 0': { records: [{ step: 1, loss: 0, learningRate: 0 }] },
    'no steps to do': { steps: 0 },
    'a best step that is not logged': { best: { step: 900, measure: 'kid', value: 1 } },
    'no settings': { config: {} },
  }
  test.each(Object.entries(without))('%s', (_, changes) => {
    const page = runPage(reportOf(changes))
    expect(textOf(page)).not.toMatch(FORGOTTEN)
    expect(page.replace(/<script.*/s, '')).not.toMatch(/="[^"]*(NaN|undefined|Infinity)/)
  })
})

test('measures of the log that no evaluation explains have a curve under their own name', () => {
  const records = [1, 2].map((step) => ({ step, loss: 1, learningRate: 1, measures: { '<mine>': step, kid: 3 } }))
  const titles = titlesOf(runPage(reportOf({ records })))
  expect(titles).toContain('&lt;mine&gt;')
  expect(titles).not.toContain('kid')
})

test('the size of a page does not grow with the run', () => {
  const grid = (step: number): RunGrid => ({ step, title: `Step ${step}`, picture: RED, width: 8, height: 8 })
  const sizeOf = (count: number) =>
    runPage(
      reportOf({ records: recordsOf(count), grids: Array.from({ length: count / 100 }, (_, i) => grid(100 * i)) }),
    ).length
  expect(sizeOf(100_000)).toBeLessThan(sizeOf(40_000) * 1.1)
  expect(sizeOf(100_000)).toBeLessThan(60_000)
})

test('grids are spread over the run, with the first and the last', () => {
  const grids = Array.from({ length: 21 }, (_, i) => ({
    step: 50 * i,
    title: `Step ${50 * i}`,
    picture: BLUE,
    width: 8,
    height: 8,
  }))
  const page = runPage(reportOf({ grids }), { maxGrids: 3 })
  expect(titlesOf(page).slice(-3)).toEqual(['Step 0', 'Step 500', 'Step 1000'])
  expect(textOf(page)).toContain('3 of 21 grids')
  expect(titlesOf(runPage(reportOf({ grids }), { maxGrids: 1 })).at(-1)).toBe('Step 1000')
})

test('names cannot run, equal reports give equal bytes, and the JSON has settings and evaluations', () => {
  const evil = '</script><script>alert(1)</script>'
  const report = reportOf({ name: evil, config: { [evil]: [evil] }, warnings: [evil] })
  const page = runPage(report)
  expect(page.match(/<script\b/g)).toHaveLength(2)
  expect(page).toBe(runPage(JSON.parse(JSON.stringify(report)) as RunReport))
  const { name, config, evaluations, best, last } = dataOf(page) as RunReport & { last: RunRecord }
  expect({ name, config, evaluations, best, last }).toEqual({
    name: evil,
    config: report.config,
    evaluations: report.evaluations,
    best: report.best,
    last: report.records[499],
  })
})
