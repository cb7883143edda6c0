import { expect, test } from 'vitest'
import { resolveRun } from '../../src/run/resolve-run.js'

test('fields of config.json come in the order in which runs have always had them', () => {
  const run = resolveRun({ valShare: 0.1, shardOptimizer: true, shardCheckpoint: true, sampleEvery: null, lr: 0.1 }, 6)
  expect(Object.keys(run)).toEqual([
    'modelName',
    'objective',
    'recipe',
    'flip',
    'seed',
    'steps',
    'checkpoint',
    'heldOut',
    'shardOptimizer',
    'shardCheckpoint',
    'sampleEvery',
    'recompute',
  ])
  expect(run.checkpoint).toEqual({ every: 250, keepLast: 3, keepEvery: null })
  expect(run.heldOut).toEqual({ share: 0.1, every: 250 })
})

test('what is off by default is left out, and nothing is held out unless asked for', () => {
  const run = resolveRun({ shardOptimizer: false }, 6)
  expect(run).not.toHaveProperty('shardOptimizer')
  expect(run).not.toHaveProperty('shardCheckpoint')
  expect(run).not.toHaveProperty('heldOut')
  expect(() => resolveRun({ valEvery: 3 }, 6)).toThrow('--val-every needs --val-share')
})

test('a model is that of the recipe or a named size, with what flags and data say', () => {
  const modelOf = (flags: Parameters<typeof resolveRun>[0], latents?: Parameters<typeof resolveRun>[3]) => {
    const { objective } = resolveRun(flags, 10, 1, latents)
    return 'network' in objective ? objective.network.config : null
  }
  expect(modelOf({ depth: 2 })).toEqual({
    patchSize: 8,
    hiddenSize: 192,
    depth: 2,
    numHeads: 4,
    mlpRatio: 4,
    inputSize: 32,
    inChannels: 3,
    numClasses: 10,
    classDropout: 0.1,
    learnSigma: false,
  })
  expect(modelOf({ model: 'DiT-S/2', heads: 4 }, { channels: 4, size: 8 })).toMatchObject({
    patchSize: 2,
    hiddenSize: 384,
    depth: 12,
    numHeads: 4,
    inputSize: 8,
    inChannels: 4,
    learnSigma: true,
  })
  expect(modelOf({ recipe: 'paper' })).toMatchObject({ patchSize: 4, hiddenSize: 128, learnSigma: true })
  expect(modelOf({}, { channels: 4, size: 8 })).toMatchObject({ patchSize: 4, learnSigma: true })
  expect(() => modelOf({ size: 30, patch: 4 })).toThrow('--size 30 is not a multiple of the patch side, --patch 4')
})
