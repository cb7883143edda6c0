import type { DiTConfig } from '@dit/model'
import type { KnownSpec, TrainRecipe } from '@dit/train-ddp'
import type { SamplerName } from '@dit/pipeline'

/** What `dit demo` does where no flag says otherwise. Pictures get better up to this many steps at least. */
export const DEMO_DEFAULTS = { steps: 2000, seed: 0 } as const

/** Side of the pictures: the grid of the sprites. */
const SIZE = 32

/** A DiT that two CPU cores train in about a minute: 64 tokens a picture, half a million parameters. */
export const DEMO_MODEL: DiTConfig = {
  inputSize: SIZE,
  patchSize: 4,
  inChannels: 3,
  hiddenSize: 96,
  depth: 3,
  numHeads: 3,
  mlpRatio: 4,
  numClasses: 8,
  classDropout: 0.1,
  learnSigma: false,
}

/**
 * The best by eye of four, one seed each, at 2.5 to 4 T multiply-adds: patches of 8 leave speckles, those of 2 crooked outlines, and a width of
 * 128 takes fewer steps. It predicts x0, as docs/choosing.md advises for short trainings.
 */
export const DEMO_RECIPE: TrainRecipe = {
  name: 'demo',
  batchSize: 16,
  learningRate: 5e-3,
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
} = { sampler: 'ddpm', steps: 40, guidance: 1.5, perClass: 12 }
