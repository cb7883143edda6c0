import type { DiTConfig } from '@dit/model'
import type { KnownSpec, TrainRecipe } from '@dit/train-ddp'
import type { SamplerName } from '@dit/pipeline'

/** What `dit demo` does where no flag says otherwise. Pictures get better up to this many steps at least. */
export const DEMO_DEFAULTS = { steps: 7000, seed: 0 } as const

/** Side of the pictures: the smallest at which the six shapes are told apart. */
const SIZE = 16

/** A DiT that two CPU cores train in minutes: 4 tokens a picture, about a million parameters. */
export const DEMO_MODEL: DiTConfig = {
  inputSize: SIZE,
  patchSize: 8,
  inChannels: 3,
  hiddenSize: 128,
  depth: 3,
  numHeads: 4,
  mlpRatio: 4,
  numClasses: 6,
  classDropout: 0.1,
  learnSigma: false,
}

/**
 * The best of some thirty settings that were compared at a like number of multiply-adds. What mattered: few, large patches;
 * predicting x0 instead of noise, with which nothing was recognisable after that time; the cosine schedule; batches of 32
 * rather than 64.
 */
export const DEMO_RECIPE: TrainRecipe = {
  name: 'demo',
  batchSize: 32,
  learningRate: 1.5e-3,
  warmupSteps: 50,
  decay: 'cosine',
  finalLearningRate: 0.05,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradientNorm: 1,
  emaDecay: 0.995,
  emaWarmup: true,
}

export const DEMO_PROCESS: KnownSpec['process'] = {
  kind: 'gaussian',
  schedule: 'squaredcos_cap_v2',
  numTimesteps: 1000,
  meanType: 'x0',
  varianceType: 'fixedSmall',
  lossType: 'mse',
}

/** How the demo samples from what it trained. */
export const DEMO_SAMPLING: {
  readonly sampler: SamplerName
  readonly steps: number
  readonly guidance: number
  /** Pictures of each class: a row of the grid, and what the score is taken from. */
  readonly perClass: number
} = { sampler: 'ddpm', steps: 40, guidance: 2, perClass: 16 }
