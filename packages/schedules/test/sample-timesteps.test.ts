import { randomStream, uint32s } from '@dit/random'
import { expect, test } from 'vitest'
import { drawTimesteps, sampleTimesteps, uniformWeights } from '../src/index.js'
import { fixture } from './fixture.js'

test('uniform timesteps match the reference', () => {
  const { config, data, excess } = fixture('uniform')
  const { timesteps, importanceWeights } = sampleTimesteps(uniformWeights(config.num_timesteps), data['in.u'])
  expect(excess('indices', timesteps)).toBe(0)
  expect(excess('importance', importanceWeights)).toBeLessThanOrEqual(1)
})

test('takes the first timestep whose cumulative weight exceeds the draw', () => {
  // cumulative 1/4, 1/4, 3/4, 1: a draw on a border belongs to the next, a weight of 0 is never taken
  const { timesteps, importanceWeights } = sampleTimesteps([1, 0, 2, 1], [0, 0.2, 0.25, 0.5, 0.75, 0.999])
  expect([...timesteps]).toEqual([0, 0, 2, 2, 3, 3])
  expect([...importanceWeights]).toEqual([1, 1, 0.5, 0.5, 1, 1])
})

test('never passes the last timestep that has weight', () => {
  const nearOne = 1 - 2 ** -53
  expect([...sampleTimesteps([0.1, 0.2, 0.3, 0], [nearOne]).timesteps]).toEqual([2])
  expect([...sampleTimesteps(uniformWeights(1), [nearOne]).timesteps]).toEqual([0])
})

test('importance weights make the mean of any loss unbiased', () => {
  const weights = [1, 2, 3, 4]
  const { timesteps, importanceWeights } = drawTimesteps(weights, randomStream(0, 'bias'), 100_000)
  const mean = timesteps.reduce((sum, t, i) => sum + importanceWeights[i] * t ** 2, 0) / timesteps.length
  // the mean of 0, 1, 4, 9 is 3.5; the standard error is 0.008
  expect(Math.abs(mean - 3.5)).toBeLessThan(0.03)
})

test('draws follow the weights', () => {
  const counts = [0, 0, 0]
  for (const t of drawTimesteps([1, 2, 1], randomStream(1, 'share'), 40_000).timesteps) counts[t]++
  // four standard errors of a binomial count: 4 sqrt(40000 p (1 - p))
  expect(Math.abs(counts[0] - 10_000)).toBeLessThan(347)
  expect(Math.abs(counts[1] - 20_000)).toBeLessThan(400)
})

test('a draw takes two words of the stream and does not depend on the split', () => {
  const stream = randomStream(9, 'timesteps', 3)
  const whole = drawTimesteps(uniformWeights(1000), stream, 20)
  for (const start of [0, 1, 7]) {
    expect(drawTimesteps(uniformWeights(1000), stream, 5, start).timesteps).toEqual(
      whole.timesteps.slice(start, start + 5),
    )
  }
  const words = uint32s(stream, 2)
  expect(whole.timesteps[0]).toBe(Math.floor((1000 * words[0]) / 2 ** 32))
})

test('says what is wrong', () => {
  expect(() => sampleTimesteps([1, -1], [0])).toThrow('weights must not be negative (weights[1] is -1)')
  expect(() => sampleTimesteps([0, 0], [0])).toThrow('weights must have a positive, finite sum (got 0)')
  expect(() => sampleTimesteps([], [0])).toThrow(RangeError)
  expect(() => sampleTimesteps([1], [1])).toThrow('sampleTimesteps: draws must lie in [0, 1) (got 1)')
  expect(() => uniformWeights(0)).toThrow('uniformWeights: numTimesteps must be a positive integer (got 0)')
})
