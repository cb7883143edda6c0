import { classConditional, singleCommunicator } from '@dit/train-ddp'
import type { OpenModel } from '@dit/pipeline'
import { STABLE_DIFFUSION_VAE } from '@dit/vae'
import { expect, test } from 'vitest'
import { checkSampleMemory, needsTiles } from '../../src/samples/check-memory.js'
import { planTraining } from '../../src/run/plan-training.js'
import { resolveRun } from '../../src/run/resolve-run.js'
import { checkTrainingMemory } from '../../src/run/check-memory.js'
import { tinyConfig, tinyModel as model } from '../support/tiny-run.js'

const { recipe } = tinyConfig
const objectiveOf = (config: typeof model) => classConditional(config).spec
const GIB = 2 ** 30

test('a run that fits is let through; what takes most is named where it does not', () => {
  const plan = { objective: objectiveOf(model), recipe, recompute: 'none' } as const
  expect(() => checkTrainingMemory(plan, undefined, GIB)).not.toThrow()
  const cases: [object, RegExp][] = [
    [
      { objective: objectiveOf({ ...model, hiddenSize: 40_000 }) },
      /training needs about .* GiB for the weights.*--hidden/,
    ],
    [
      { recipe: { ...recipe, batchSize: 3e6 } },
      /for the activations\), but this machine has 1 GiB; lower --micro-batch/,
    ],
    [
      { objective: objectiveOf({ ...model, inputSize: 8000 }) },
      /lower --size, --hidden or --depth, or raise --patch, or use --recompute/,
    ],
    // Three batches of 1e7 pictures of 3 * 4 * 4 values of 4 bytes are 5.364 GiB.
    [
      { recipe: { ...recipe, batchSize: 1e7, microBatchSize: 1 } },
      /5\.364 GiB for the batches.*lower --batch or --size/,
    ],
  ]
  for (const [change, message] of cases) {
    expect(() => checkTrainingMemory({ ...plan, ...change }, undefined, GIB)).toThrow(message)
  }
})

test('workers of one machine share its memory and the batch, and shards are a part each', () => {
  const four = { communicator: { ...singleCommunicator(), size: 4 }, localSize: 4 }
  // 4 GiB among 4: what one worker needs of 1 GiB above, with a batch four times as large.
  const plan = {
    objective: objectiveOf(model),
    recipe: { ...recipe, batchSize: 1e5, microBatchSize: 1 },
    recompute: 'none',
  } as const
  expect(() => checkTrainingMemory(plan, four, 4 * GIB)).not.toThrow()
  const large = { ...plan, recipe: { ...recipe, batchSize: 3e6 } }
  expect(() => checkTrainingMemory(large, four, 4 * GIB)).toThrow('each of 4 workers here has 1 GiB')
  // 12 D^2 and more parameters of 4 bytes, 5 times: 1.5 GiB, of which 3 times are shared out.
  const wide = { ...plan, objective: objectiveOf({ ...model, hiddenSize: 2000 }), recipe: { ...recipe, batchSize: 4 } }
  expect(() => checkTrainingMemory(wide, four, 4 * GIB)).toThrow('the weights')
  expect(() => checkTrainingMemory({ ...wide, shardOptimizer: true }, four, 4 * GIB)).not.toThrow()
})

test('what `dit plan` says fits is let through, and nothing else', () => {
  const flags = { model: 'DiT-S/2', batch: 16, size: 32 }
  const [{ memory }] = planTraining({ ...flags }).rows
  const run = resolveRun(flags, 1000)
  expect(() => checkTrainingMemory(run, undefined, memory.total)).not.toThrow()
  expect(() => checkTrainingMemory(run, undefined, memory.total - 1)).toThrow('training needs about')
})

test('samples are bounded by how many are made at once, not by their number', () => {
  const size = { model, count: 1e9, batchSize: 32, isGuided: true }
  expect(() => checkSampleMemory(size, GIB)).not.toThrow()
  expect(() => checkSampleMemory({ ...size, batchSize: 1e6 }, GIB)).toThrow(
    /1,000,000 pictures at a time need about .*; lower --batch/,
  )
})

test('a guide counts as a second network, and its own pictures as those of the null class', () => {
  const size = { model, count: 1, batchSize: 1, isGuided: true }
  const wide = { ...model, hiddenSize: 6000 }
  expect(() => checkSampleMemory(size, GIB)).not.toThrow()
  expect(() => checkSampleMemory({ ...size, guide: wide }, GIB)).toThrow(
    /1 picture at a time needs about .* use --half f16 or a smaller model/,
  )
  expect(() => checkSampleMemory({ ...size, guide: model }, GIB)).not.toThrow()
})

test('pictures of an autoencoder are decoded in tiles only where a whole one takes more than half of the memory', () => {
  const of = (inputSize: number) =>
    ({
      autoencoder: { name: 'vae', config: STABLE_DIFFUSION_VAE, open: () => Promise.reject(new Error('not opened')) },
      network: { inputShape: [4, inputSize, inputSize] },
    }) as unknown as OpenModel
  // 512 pixels take 4 maps of 256 x 512 x 512 numbers of 4 bytes: 1 GiB.
  expect(needsTiles(of(64), 'cpu-native', 2.1 * GIB)).toBe(false)
  expect(needsTiles(of(64), 'cpu-native', 1.9 * GIB)).toBe(true)
  // 1024 pixels take 4 GiB, which WebAssembly does not have whatever the machine.
  expect(needsTiles(of(128), 'cpu-native', 64 * GIB)).toBe(false)
  expect(needsTiles(of(128), 'cpu-wasm', 64 * GIB)).toBe(true)
  expect(needsTiles({ ...of(128), autoencoder: null }, 'cpu-wasm', GIB)).toBe(false)
})
