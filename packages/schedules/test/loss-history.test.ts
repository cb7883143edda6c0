import { expect, test } from 'vitest'
import { emptyLossHistory, lossHistoryWeights, sampleTimesteps, updateLossHistory } from '../src/index.js'
import { fixture } from './fixture.js'

test('matches the reference through its updates, stored and loaded at every mark', () => {
  const { config, data, excess } = fixture('second-moment-short')
  let history = emptyLossHistory(config.num_timesteps, {
    historyPerTerm: config.history_per_term,
    uniformProb: config.uniform_prob,
  })
  const weights: number[] = []
  let from = 0
  for (const mark of data['in.marks']) {
    history = updateLossHistory(history, data['in.t'].subarray(from, mark), data['in.loss'].subarray(from, mark))
    history = JSON.parse(JSON.stringify(history))
    weights.push(...lossHistoryWeights(history))
    from = mark
  }
  expect(from).toBe(data['in.t'].length)
  expect(excess('weights', weights)).toBeLessThanOrEqual(1)
  const { timesteps, importanceWeights } = sampleTimesteps(lossHistoryWeights(history), data['in.u'])
  expect(excess('indices', timesteps)).toBe(0)
  expect(excess('importance', importanceWeights)).toBeLessThanOrEqual(1)
})

test('weighs by the root mean square of the latest losses, mixed with uniform', () => {
  const empty = emptyLossHistory(2, { historyPerTerm: 2, uniformProb: 0.2 })
  const history = updateLossHistory(empty, [0, 0, 1, 0, 1], [100, 3, 1, 5, 7])
  expect(history.losses).toEqual([
    [3, 5],
    [1, 7],
  ])
  // rms sqrt(17) and sqrt(25)
  const share = Math.sqrt(17) / (Math.sqrt(17) + 5)
  const weights = lossHistoryWeights(history)
  expect(weights[0]).toBeCloseTo(0.8 * share + 0.1, 15)
  expect(weights[1]).toBeCloseTo(0.8 * (1 - share) + 0.1, 15)
})

test('weighs equally until every timestep has a full history, and when all losses are 0', () => {
  let history = emptyLossHistory(2, { historyPerTerm: 1 })
  expect([...lossHistoryWeights(history)]).toEqual([1, 1])
  history = updateLossHistory(history, [0], [5])
  expect([...lossHistoryWeights(history)]).toEqual([1, 1])
  expect(lossHistoryWeights(updateLossHistory(history, [1], [1]))[0]).toBeGreaterThan(0.8)
  expect([...lossHistoryWeights(updateLossHistory(history, [0, 1], [0, 0]))]).toEqual([1, 1])
})

test('an update leaves the old history as it was', () => {
  const before = updateLossHistory(emptyLossHistory(3), [1], [2])
  const copy = structuredClone(before)
  updateLossHistory(before, [1, 2], [7, 8])
  expect(before).toEqual(copy)
})

test('keeps ten losses and a share of 0.001 unless told otherwise', () => {
  expect(emptyLossHistory(1)).toEqual({ historyPerTerm: 10, uniformProb: 0.001, losses: [[]] })
})

test('says what is wrong', () => {
  const history = emptyLossHistory(3)
  expect(() => updateLossHistory(history, [0, 1], [1])).toThrow(
    'updateLossHistory: timesteps and losses must have one length (got 2 and 1)',
  )
  expect(() => updateLossHistory(history, [3], [1])).toThrow('timesteps must be integers in 0 .. 2 (got 3)')
  expect(() => updateLossHistory(history, [0], [Infinity])).toThrow('losses must be finite (losses[0] is Infinity)')
  expect(() => emptyLossHistory(0)).toThrow('emptyLossHistory: numTimesteps must be a positive integer (got 0)')
  expect(() => emptyLossHistory(3, { historyPerTerm: 0 })).toThrow('historyPerTerm must be a positive integer (got 0)')
  expect(() => emptyLossHistory(3, { uniformProb: 2 })).toThrow('uniformProb must lie in [0, 1] (got 2)')
})
