import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { shapesDataset } from '@dit/data'
import type { DiTConfig } from '@dit/model'
import { reference } from '@dit/tensor'
import { classConditional, smallRecipe, train } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import { batchSource } from '../../src/run/batch-source.js'
import type { RunConfig } from '../../src/run/run-config.js'

export const tinyModel: DiTConfig = {
  inputSize: 4,
  patchSize: 2,
  inChannels: 3,
  hiddenSize: 8,
  depth: 1,
  numHeads: 2,
  mlpRatio: 2,
  numClasses: 6,
  classDropout: 0.1,
  learnSigma: true,
}

const objective = classConditional(tinyModel)

export const tinyConfig: RunConfig = {
  format: 'dit-run-2',
  modelName: null,
  objective: objective.spec,
  recipe: { ...smallRecipe, batchSize: 2 },
  data: { kind: 'shapes', size: 4, length: 60, seed: 0 },
  classes: ['disc', 'ring', 'square', 'triangle', 'cross', 'crescent'],
  flip: false,
  seed: 0,
  steps: 4,
  checkpoint: { every: 2, keepLast: 3, keepEvery: null },
  sampleEvery: null,
  recompute: 'none',
  engine: { name: 'reference', version: null, instructionSet: null, threads: 1 },
  versions: { dit: '0.0.0', node: '20.0.0', platform: 'linux', arch: 'x64' },
}

/** Moves every parameter far in a few steps, so that each of them tells in the pictures: a fresh network is the zero function. */
export const eagerRecipe = {
  ...tinyConfig.recipe,
  learningRate: 0.05,
  warmupSteps: 0,
  decay: 'constant',
  emaDecay: 0.5,
} as const satisfies RunConfig['recipe']

/** A finished run of 4 steps with checkpoints at 2 and 4, by default of a Gaussian diffusion of the model above. */
export async function makeTinyRun(
  folder: string,
  options: Parameters<typeof classConditional>[1] = {},
  { model = tinyModel, ...changes }: Partial<RunConfig> & { readonly model?: DiTConfig } = {},
): Promise<void> {
  const { recipe, steps, seed, checkpoint } = { ...tinyConfig, ...changes }
  const objective = classConditional(model, options)
  const store = folderRunStore(folder)
  await store.write('config.json', JSON.stringify({ ...tinyConfig, ...changes, objective: objective.spec }))
  const dataset = shapesDataset({ size: 4, length: 60 })
  const data = batchSource(dataset, { batchSize: recipe.batchSize, seed, flip: false, steps })
  const backend = reference()
  for await (const event of train({ objective, recipe, data, backend, seed, steps, store, checkpoint })) void event
  await data.close()
}

/** A run that has only its configuration and a log of losses. */
export async function makeLoggedRun(folder: string, losses: readonly number[]): Promise<void> {
  await writeFile(join(folder, 'config.json'), JSON.stringify(tinyConfig))
  const lines = losses.map((loss, i) =>
    JSON.stringify({ step: i + 1, loss, gradNorm: 1, learningRate: 1e-3, emaDecay: 0.9, examples: 2 * (i + 1) }),
  )
  await writeFile(join(folder, 'log.jsonl'), lines.map((line) => `${line}\n`).join(''))
}
