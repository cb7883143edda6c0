import { randomNormal, randomStream, reference, scope, type Tensor, useBackend } from '@dit/tensor'
import { countParameters } from '@dit/scaling'
import { describe, expect, test } from 'vitest'
import {
  checkConfig,
  countedNetwork,
  type DiTConfig,
  forward,
  initParams,
  parameterTable,
  unpublishedFields,
} from '../src/index.js'
import { randomParams, TINY } from './tiny.js'

const backend = await useBackend(reference())
const SCALED: DiTConfig = { ...TINY, guidanceRange: [1, 4] }
const numbers = async (x: Tensor) => [...(await x.data())]
const xt = randomNormal([2, TINY.inChannels, 4, 4], randomStream(1, 'xt'), { backend })
const inputs = { xt, timesteps: [3, 500], labels: [0, 1] }

test('adds an embedding of the scale to that of the timestep, in every kind of block', async () => {
  for (const block of ['adaLN-Zero', 'adaLN', 'cross-attention', 'in-context'] as const) {
    const config = { ...SCALED, block }
    const params = randomParams(config)
    const at = (guidance: readonly number[]) => scope(() => forward(config, params, { ...inputs, guidance }))
    const [low, high, mixed] = await Promise.all(
      [
        [1, 1],
        [4, 4],
        [1, 4],
      ].map(async (scales) => numbers(at(scales))),
    )
    const half = low.length / 2
    expect(mixed).toEqual([...low.slice(0, half), ...high.slice(half)])
    expect(low).not.toEqual(high)
  }
})

test('a fresh one is the network without that input', async () => {
  const plain = initParams(TINY, { seed: 5, backend })
  const params = initParams(SCALED, { seed: 5, backend })
  const found = await numbers(forward(SCALED, { ...params, ...plain }, { ...inputs, guidance: [1, 3] }))
  expect(found).toEqual(await numbers(forward(TINY, plain, inputs)))
})

test('has the parameters of another timestep embedder, all counted', () => {
  const own = Object.keys(parameterTable(SCALED)).filter((name) => name.startsWith('w_embedder.'))
  expect(own).toEqual([
    'w_embedder.mlp.0.weight',
    'w_embedder.mlp.0.bias',
    'w_embedder.mlp.2.weight',
    'w_embedder.mlp.2.bias',
  ])
  const D = TINY.hiddenSize
  const [more, fewer] = [SCALED, TINY].map((config) => countParameters(countedNetwork(config)).total)
  expect(more - fewer).toBe(256 * D + D + D * D + D)
  expect(unpublishedFields(SCALED)).toEqual(['guidanceRange'])
})

describe('refuses', () => {
  const params = randomParams(SCALED)
  const run = (guidance?: readonly number[]) => () => forward(SCALED, params, { ...inputs, guidance })
  test('scales that are not there, too many, or outside of the range', () => {
    expect(run()).toThrow('forward: guidance must have one entry per sample of xt, 2 (got 0)')
    expect(run([1, 2, 3])).toThrow('2 (got 3)')
    expect(run([1, 4.5])).toThrow('forward: guidance must be 1 to 4 (got 4.5)')
    expect(run([Number.NaN, 2])).toThrow('forward: guidance must be 1 to 4 (got NaN)')
    expect(() => forward(TINY, randomParams(TINY), { ...inputs, guidance: [1, 1] })).toThrow('0 (got 2)')
  })
  test('a range that is none', () => {
    for (const guidanceRange of [[1, 1], [2, 1], [-1, 1], [0, Infinity], [1, 2, 3], [1], 'ab']) {
      const config = { ...TINY, guidanceRange } as unknown as DiTConfig
      expect(() => checkConfig(config)).toThrow('DiTConfig: guidanceRange must be two scales')
    }
    const told = { ...SCALED, numClasses: 0, classDropout: 0, conditions: [] }
    expect(() => checkConfig(told)).toThrow('of a network of classes')
  })
})
