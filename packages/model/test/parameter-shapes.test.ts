import { randomStream, randomNormal, reference, useBackend } from '@dit/tensor'
import { expect, test } from 'vitest'
import {
  checkParams,
  countParameters,
  DIT_NAMES,
  ditConfig,
  isTrainable,
  parameterShapes,
  trainableParams,
} from '../src/index.js'
import { randomParams, TINY } from './tiny.js'

await useBackend(reference())

// Measured on the reference implementation at 32 x 32; the paper prints the trainable ones, in millions.
const COUNTS: Record<string, [all: number, trainable: number]> = {
  'DiT-S/8': [33_148_160, 33_142_016],
  'DiT-S/4': [32_945_024, 32_920_448],
  'DiT-S/2': [32_963_360, 32_865_056],
  'DiT-B/8': [130_881_536, 130_869_248],
  'DiT-B/4': [130_475_648, 130_426_496],
  'DiT-B/2': [130_512_416, 130_315_808],
  'DiT-L/8': [458_594_816, 458_578_432],
  'DiT-L/4': [458_053_760, 457_988_224],
  'DiT-L/2': [458_102_816, 457_840_672],
  'DiT-XL/8': [675_683_072, 675_664_640],
  'DiT-XL/4': [675_074_432, 675_000_704],
  'DiT-XL/2': [675_129_632, 674_834_720],
}

test('has the twelve models of the paper', () => {
  expect([...DIT_NAMES]).toEqual(Object.keys(COUNTS))
})

test.each(DIT_NAMES)('%s has as many parameters as the reference implementation', (name) => {
  const [all, trainable] = COUNTS[name]
  expect(countParameters(ditConfig(name))).toEqual({ all, trainable })
})

test('only positions grow with the picture', () => {
  expect(countParameters(ditConfig('DiT-XL/2', { inputSize: 64 }))).toEqual({
    all: 676_014_368,
    trainable: 674_834_720,
  })
})

test('follows the order and the names of the official state dicts', () => {
  expect(Object.entries(parameterShapes({ ...TINY, depth: 1, inputSize: [4, 6] }))).toEqual([
    ['pos_embed', [1, 6, 8]],
    ['x_embedder.proj.weight', [8, 2, 2, 2]],
    ['x_embedder.proj.bias', [8]],
    ['t_embedder.mlp.0.weight', [8, 256]],
    ['t_embedder.mlp.0.bias', [8]],
    ['t_embedder.mlp.2.weight', [8, 8]],
    ['t_embedder.mlp.2.bias', [8]],
    ['y_embedder.embedding_table.weight', [4, 8]],
    ['blocks.0.attn.qkv.weight', [24, 8]],
    ['blocks.0.attn.qkv.bias', [24]],
    ['blocks.0.attn.proj.weight', [8, 8]],
    ['blocks.0.attn.proj.bias', [8]],
    ['blocks.0.mlp.fc1.weight', [16, 8]],
    ['blocks.0.mlp.fc1.bias', [16]],
    ['blocks.0.mlp.fc2.weight', [8, 16]],
    ['blocks.0.mlp.fc2.bias', [8]],
    ['blocks.0.adaLN_modulation.1.weight', [48, 8]],
    ['blocks.0.adaLN_modulation.1.bias', [48]],
    ['final_layer.linear.weight', [16, 8]],
    ['final_layer.linear.bias', [16]],
    ['final_layer.adaLN_modulation.1.weight', [16, 8]],
    ['final_layer.adaLN_modulation.1.bias', [16]],
  ])
})

test('has no null row without dropout, no variance channels without learnSigma, and rounds the MLP down', () => {
  const shapes = parameterShapes({ ...TINY, classDropout: 0, learnSigma: false, mlpRatio: 2.9 })
  expect(shapes['y_embedder.embedding_table.weight']).toEqual([3, 8])
  expect(shapes['final_layer.linear.weight']).toEqual([8, 8])
  expect(shapes['blocks.1.mlp.fc1.weight']).toEqual([23, 8])
})

test('replaces the timestep MLP by a table', () => {
  const shapes = parameterShapes({ ...TINY, timestepEmbedding: 'table', numTimesteps: 50 })
  expect(shapes['t_embedder.embedding_table.weight']).toEqual([50, 8])
  expect(Object.keys(shapes).filter((name) => name.startsWith('t_embedder'))).toHaveLength(1)
  expect(parameterShapes({ ...TINY, timestepEmbedding: 'table' })['t_embedder.embedding_table.weight']).toEqual([
    1000, 8,
  ])
})

test('trains everything but sine-cosine positions', () => {
  const params = randomParams(TINY)
  const names = Object.keys(params)
  expect(Object.keys(trainableParams(TINY, params))).toEqual(names.slice(1))
  expect(trainableParams({ ...TINY, positions: 'learned' }, params)).toEqual(params)
  expect(isTrainable(TINY, 'pos_embed')).toBe(false)
  expect(isTrainable(TINY, 'blocks.0.attn.qkv.bias')).toBe(true)
})

test('lists parameters that do not fit', () => {
  const { pos_embed: _, ...rest } = randomParams(TINY)
  const wrong = {
    ...rest,
    'x_embedder.proj.bias': randomNormal([9], randomStream(1)),
    extra: rest['x_embedder.proj.bias'],
  }
  expect(() => checkParams(TINY, wrong)).toThrow(
    new RangeError(
      'checkParams: the parameters must be those of the configuration (missing: pos_embed [1, 4, 8]; of another shape: x_embedder.proj.bias [9] instead of [8]; not expected: extra)',
    ),
  )
  expect(() => checkParams({ ...TINY, depth: 3 }, randomParams(TINY))).toThrow(
    'missing: blocks.2.attn.qkv.weight [24, 8], blocks.2.attn.qkv.bias [24], blocks.2.attn.proj.weight [8, 8], blocks.2.attn.proj.bias [8], blocks.2.mlp.fc1.weight [16, 8], blocks.2.mlp.fc1.bias [16] and 4 more',
  )
})

test('rejects unknown names and overrides that do not fit', () => {
  expect(() => ditConfig('DiT-M/2')).toThrow(/^ditConfig: name must be one of DiT-S\/8, .*DiT-XL\/2 \(got DiT-M\/2\)$/)
  expect(() => ditConfig('DiT-S/8', { inputSize: 12 })).toThrow('inputSize must be positive multiples of patchSize 8')
  expect(ditConfig('DiT-S/2', { numClasses: 6 }).numClasses).toBe(6)
})
