import { expect, test } from 'vitest'
import { type ScalingRun, screenRuns } from '../../src/index.js'

const run = (name: string, more: Partial<ScalingRun> = {}): ScalingRun => ({
  name,
  n: 1e6,
  d: 1e5,
  compute: 6e11,
  loss: 0.2,
  ...more,
})

test('leaves out what is unfinished, unmeasured or diverged, and says why', () => {
  const { kept, leftOut, table } = screenRuns([
    run('small'),
    run('half', { n: 2e6, isFinished: false }),
    run('blind', { n: 3e6, loss: null }),
    run('nan', { n: 4e6, loss: NaN }),
    run('zero', { n: 4e6, loss: 0 }),
    run('worse', { n: 5e6, loss: 0.31 }),
    run('large', { n: 6e6, loss: 0.15 }),
  ])
  expect(kept.map(({ name }) => name)).toEqual(['small', 'large'])
  expect(table).toEqual({ n: [1e6, 6e6], d: [1e5, 1e5], loss: [0.2, 0.15] })
  expect(leftOut.map(({ run: { name }, why }) => `${name}: ${why}`)).toEqual([
    'half: it is not finished',
    'blind: no loss was measured at its end',
    'nan: it diverged (loss NaN)',
    'zero: its loss 0 is not above 0',
    'worse: it diverged: its loss 0.310 is far above the 0.200 of small, which is no larger and saw no more',
  ])
})

test('a run is not taken for diverged because networks of another kind do better', () => {
  const runs = [run('fine', { kind: 'patch 2' }), run('coarse', { n: 2e6, loss: 0.5, kind: 'patch 8' })]
  expect(screenRuns(runs).leftOut).toEqual([])
  const alike = runs.map(({ kind: _kind, ...rest }) => rest)
  expect(screenRuns(alike).leftOut.map(({ run: { name } }) => name)).toEqual(['coarse'])
})

test('repeats stay rows of their own, and are told', () => {
  const { kept, notices } = screenRuns([
    run('a', { seed: 0 }),
    run('b', { seed: 1, loss: 0.21 }),
    run('c', { d: 2e5, seed: 0, epochs: 3 }),
    run('d', { d: 2e5, seed: 0 }),
  ])
  expect(kept.length).toBe(4)
  expect(notices).toEqual([
    'a, b repeat a size and its data with other seeds; each stays a row',
    'c, d have the same size, data and seed: is one of them in the table twice?',
    'c saw examples more than once, where a law of fresh data promises too much',
  ])
})

test('refuses a table without a run that can be fitted', () => {
  expect(() => screenRuns([])).toThrow('screenRuns: no run can be fitted (there are none)')
  expect(() => screenRuns([run('a', { isFinished: false })])).toThrow(
    'screenRuns: no run can be fitted (a: it is not finished)',
  )
})
