import type { PretrainedModel } from './pretrained-model.js'

/** Garments of ten kinds, photographs in grey, 28 x 28. */
export const garments: PretrainedModel = {
  name: 'garments',
  // Written out, so that a bundler finds the file and copies it.
  weights: new URL('../models/garments.safetensors', import.meta.url),
  sampling: { sampler: 'dpmpp-2m', steps: 20, guidance: 1.25 },
}
