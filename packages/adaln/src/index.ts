export { dropLabels, type DropLabelsOptions } from './drop-labels.js'
export { labelEmbedding } from './label-embedding.js'
export { blockModulation, type BlockModulation, finalModulation, type FinalModulation, modulate } from './modulation.js'
export {
  sinusoidalFeatures,
  type SinusoidalOptions,
  timestepEmbedding,
  timestepMlp,
  type TimestepMlpWeights,
  timestepTableEmbedding,
} from './timestep-embedding.js'
