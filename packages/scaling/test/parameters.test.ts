import { describe, expect, test } from 'vitest'
import { countParameters, type ScalingConfig } from '../src/index.js'
import { published, publishedModels, tiny } from './published-models.js'

test.each(publishedModels)('$name has the published parameters', ({ config, total, trainable, paperMillions }) => {
  const count = countParameters(config)
  expect([count.total, count.trainable]).toEqual([total, trainable])
  expect(Math.round(count.trainable / 1e6)).toBe(paperMillions)
})

test('a tiny model counted on paper', () => {
  expect(countParameters(tiny)).toEqual({
    total: 1458,
    trainable: 1434,
    groups: {
      patchEmbedding: 4 * 4 + 4,
      positions: 6 * 4,
      timestep: 256 * 4 + 4 + 4 * 4 + 4,
      labels: 3 * 4,
      blocks: 60 + 20 + 94 + 120,
      final: 4 * 8 + 8 + 4 * 4 + 4,
    },
    block: { qkv: 60, proj: 20, mlp: 4 * 10 + 10 + 10 * 4 + 4, modulation: 120 },
  })
})

test('only the position table grows with the image: XL/2 at 512 pixels', () => {
  expect(countParameters(published('XL', 2, 64)).total).toBe(676_014_368)
  expect(countParameters(published('XL', 2, 64)).trainable).toBe(countParameters(published('XL', 2)).trainable)
})

test('the parts add up to the whole', () => {
  const { total, groups, block } = countParameters(published('L', 4))
  expect(Object.values(groups).reduce((a, b) => a + b)).toBe(total)
  expect(24 * Object.values(block).reduce((a, b) => a + b)).toBe(groups.blocks)
})

test('learned positions are trained', () => {
  const count = countParameters({ ...tiny, positions: 'learned' })
  expect([count.total, count.trainable]).toEqual([countParameters(tiny).total, count.total])
})

test('a timestep table replaces the timestep MLP', () => {
  const { groups } = countParameters({ ...tiny, timestepEmbedding: 'table', numTimesteps: 1000 })
  expect(groups).toEqual({ ...countParameters(tiny).groups, timestep: 4000 })
})

test('class dropout adds one row, learned variance doubles the last layer, a square side stands for both', () => {
  expect(countParameters({ ...tiny, classDropout: 0.1 }).groups.labels).toBe(16)
  const { final } = countParameters(tiny).groups
  expect(countParameters({ ...tiny, learnSigma: true }).groups.final - final).toBe(4 * 4 + 4)
  expect(countParameters({ ...tiny, inputSize: 6 })).toEqual(countParameters({ ...tiny, inputSize: [6, 6] }))
})

describe('refuses', () => {
  test.each<[Partial<ScalingConfig>, string]>([
    [
      { inputSize: [30, 32], patchSize: 4 },
      'countParameters: height 30 is not a multiple of patchSize 4 (inputSize is [30, 32])',
    ],
    [{ inputSize: [32, 30], patchSize: 4 }, 'width 30 is not a multiple of patchSize 4'],
    [{ numHeads: 3 }, 'hiddenSize 4 is not a multiple of numHeads 3'],
    [{ hiddenSize: 6 }, "hiddenSize 6 is not a multiple of 4, which positions 'sincos' need"],
    [{ depth: 0 }, 'depth must be a positive integer (0)'],
    [{ hiddenSize: 4.5 }, 'hiddenSize must be a positive integer (4.5)'],
    [{ inputSize: NaN }, 'height must be a positive integer (NaN)'],
    [{ mlpRatio: 0.1 }, 'mlpRatio must give a width of at least 1 (0.1)'],
    [{ mlpRatio: NaN }, 'mlpRatio must give a width of at least 1 (NaN)'],
    [{ classDropout: 1.1 }, 'classDropout must be between 0 and 1 (1.1)'],
    [{ timestepEmbedding: 'table' }, 'numTimesteps must be a positive integer (undefined)'],
    [{ timestepEmbedding: 'rope' as never }, "timestepEmbedding must be 'sinusoidal' or 'table' (rope)"],
    [{ positions: 'rope' as never }, "positions must be 'sincos' or 'learned' (rope)"],
  ])('%j', (change, text) => {
    expect(() => countParameters({ ...tiny, ...change })).toThrow(RangeError)
    expect(() => countParameters({ ...tiny, ...change })).toThrow(text)
  })
})
