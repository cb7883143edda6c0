import type { DiTConfig } from '@dit/model'

/** A model of pixels, 4 x 4, with three classes. */
export const tinyModel: DiTConfig = {
  inputSize: 4,
  patchSize: 2,
  inChannels: 3,
  hiddenSize: 8,
  depth: 1,
  numHeads: 2,
  mlpRatio: 2,
  numClasses: 3,
  classDropout: 0.1,
  learnSigma: true,
}
