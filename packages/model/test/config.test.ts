import { expect, test } from 'vitest'
import { checkConfig, type DiTConfig, nullLabel, outChannels } from '../src/config.js'
import { TINY, VARIANTS } from './tiny.js'

test('accepts squares, rectangles and every variant', () => {
  checkConfig(TINY)
  checkConfig({ ...TINY, inputSize: [4, 6], classDropout: 0, mlpRatio: 3.5 })
  checkConfig({ ...TINY, timestepEmbedding: 'table', numTimesteps: 10 })
  expect(() => checkConfig({ ...TINY, hiddenSize: 6, positions: 'learned' })).not.toThrow()
  for (const config of Object.values(VARIANTS)) checkConfig(config)
})

test('says how many channels come out', () => {
  expect(outChannels(TINY)).toBe(4)
  expect(outChannels({ ...TINY, learnSigma: false })).toBe(2)
})

test('has a null class only where labels are dropped', () => {
  expect(nullLabel(TINY)).toBe(3)
  expect(nullLabel({ ...TINY, classDropout: 0 })).toBeNull()
})

test.each<[Partial<DiTConfig> | Record<string, unknown>, string]>([
  [{ patchSize: 0 }, 'patchSize must be a positive integer (got 0)'],
  [{ inChannels: 1.5 }, 'inChannels must be a positive integer (got 1.5)'],
  [{ hiddenSize: -8 }, 'hiddenSize must be a positive integer (got -8)'],
  [{ depth: 0 }, 'depth must be a positive integer (got 0)'],
  [{ numClasses: undefined }, 'numClasses must be a positive integer (got undefined)'],
  [{ numHeads: 3 }, 'hiddenSize must be a multiple of numHeads (got 8 and 3)'],
  [{ hiddenSize: 6 }, 'hiddenSize must be a multiple of 4 with sincos positions (got 6)'],
  [{ mlpRatio: 0.1 }, 'mlpRatio must give a hidden layer of at least 1 (got 0.1)'],
  [{ mlpRatio: NaN }, 'mlpRatio must give a hidden layer of at least 1 (got NaN)'],
  [{ classDropout: 1.1 }, 'classDropout must be in 0..1 (got 1.1)'],
  [{ inputSize: 5 }, 'inputSize must be positive multiples of patchSize 2 (got [5, 5])'],
  [{ inputSize: [4, 0] }, 'inputSize must be positive multiples of patchSize 2 (got [4, 0])'],
  [{ positions: 'rope' }, 'positions must be sincos or learned (got rope)'],
  [{ timestepEmbedding: 'none' }, 'timestepEmbedding must be sinusoidal or table (got none)'],
  [{ numTimesteps: 0 }, 'numTimesteps must be a positive integer (got 0)'],
  [{ hiddensize: 8 }, 'there is no field hiddensize'],
  [{ block: 'film' }, 'block must be one of adaLN-Zero, adaLN, cross-attention, in-context (got film)'],
  [{ norm: 'batch' }, 'norm must be one of layer, rms (got batch)'],
  [{ qkNorm: 1 }, 'qkNorm must be one of false, true (got 1)'],
  [{ rope: true, numHeads: 4 }, 'rope needs a head width that is a multiple of 4 (got 2)'],
  [{ mlp: 'swiglu', mlpRatio: 0.125 }, 'mlpRatio must give SwiGLU a width of at least 1 (got 0.125)'],
  [{ contextTokens: -1 }, 'contextTokens must be an integer of at least 0 (got -1)'],
  [{ contextTokens: 2, contextStart: 2 }, 'contextStart must be below depth 2 (got 2)'],
  [{ patchBottleneck: 0 }, 'patchBottleneck must be an integer of at least 1 (got 0)'],
  [
    { block: 'in-context', modulationShift: false },
    'modulationShift is for adaLN and adaLN-Zero blocks (block is in-context)',
  ],
  [
    { block: 'cross-attention', contextTokens: 1 },
    'contextTokens is for adaLN and adaLN-Zero blocks (block is cross-attention)',
  ],
])('rejects %j', (change, text) => {
  expect(() => checkConfig({ ...TINY, ...change })).toThrow(new RangeError(`DiTConfig: ${text}`))
})

test('rejects fields of the wrong kind', () => {
  expect(() => checkConfig({ ...TINY, learnSigma: 1 } as unknown as DiTConfig)).toThrow(
    new TypeError('DiTConfig: learnSigma must be true or false (got 1)'),
  )
  expect(() => checkConfig({ ...TINY, inputSize: [4] } as unknown as DiTConfig)).toThrow(
    new TypeError('DiTConfig: inputSize must be a side or [height, width] (got [4])'),
  )
})
