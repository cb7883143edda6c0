import type { DiTConfig } from '@dit/model'

/** DiT-S/2 on latents of 16 x 16 x 4: 64 tokens. It predicts the noise alone. */
export const small: DiTConfig = {
  inputSize: 16,
  patchSize: 2,
  inChannels: 4,
  hiddenSize: 384,
  depth: 12,
  numHeads: 6,
  mlpRatio: 4,
  numClasses: 1000,
  classDropout: 0.1,
  learnSigma: false,
}

/** For tests. */
export const tiny: DiTConfig = { ...small, inputSize: 8, hiddenSize: 32, depth: 2, numHeads: 2, numClasses: 10 }
