import { describe, expect, test } from 'vitest'
import { countParameters } from '../src/index.js'
import { published, publishedModels, tiny, tinyWith } from './published-models.js'

test.each(publishedModels)('$name has the published parameters', ({ network, total, trainable, paperMillions }) => {
  const count = countParameters(network)
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
  const count = countParameters(tinyWith({ positions: 'learned' }))
  expect([count.total, count.trainable]).toEqual([countParameters(tiny).total, count.total])
})

test('a timestep table replaces the timestep MLP', () => {
  const { groups } = countParameters(tinyWith({ timestepEmbedding: 'table', numTimesteps: 1000 }))
  expect(groups).toEqual({ ...countParameters(tiny).groups, timestep: 4000 })
})

test('class dropout adds one row, learned variance doubles the last layer, a square side stands for both', () => {
  expect(countParameters(tinyWith({ classDropout: 0.1 })).groups.labels).toBe(16)
  const { final } = countParameters(tiny).groups
  expect(countParameters(tinyWith({ learnSigma: true })).groups.final - final).toBe(4 * 4 + 4)
  expect(countParameters(tinyWith({ inputSize: 6 }))).toEqual(countParameters(tinyWith({ inputSize: [6, 6] })))
})

test('norms, cross-attention and modulation that blocks share have their place', () => {
  const D = 4
  expect(countParameters(tinyWith({ block: 'cross-attention' })).block).toEqual({
    ...countParameters(tiny).block,
    modulation: 0,
    crossAttention: 4 * D * (D + 1),
    norms: 6 * D,
  })
  const { groups, block } = countParameters(tinyWith({ sharedModulation: true, depth: 3 }))
  expect(block.modulation).toBe(6 * D)
  expect(groups.blocks).toBe(3 * (60 + 20 + 94 + 6 * D) + 120)
})

test('a network of other names counts as a whole', () => {
  const { total, groups, block } = countParameters({ ...tiny, parameters: { w: { shape: [2, 3] } } })
  expect([total, groups.final]).toEqual([6, 6])
  expect(block).toEqual({ qkv: 0, proj: 0, mlp: 0, modulation: 0 })
})

describe('refuses', () => {
  test.each<[object, string]>([
    [{ parameters: { w: { shape: [2, 0] } } }, 'countParameters: the shape of w must be positive integers ([2, 0])'],
    [
      { parameters: { w: { shape: [2], uses: 0.5 } } },
      'countParameters: uses of w must be an integer, 0 or more (0.5)',
    ],
    [{ attention: [{ scores: -1, values: 1 }] }, 'scores of block 0 must be an integer, 0 or more (-1)'],
    [{ attention: [{ scores: 1, values: NaN }] }, 'values of block 0 must be an integer, 0 or more (NaN)'],
    [{ sizes: { ...tiny.sizes, numHeads: 1.5 } }, 'numHeads must be an integer, 0 or more (1.5)'],
  ])('%j', (change, text) => {
    expect(() => countParameters({ ...tiny, ...change })).toThrow(RangeError)
    expect(() => countParameters({ ...tiny, ...change })).toThrow(text)
  })
})
