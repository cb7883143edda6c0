import type { PretrainedModel } from './pretrained-model.js'

/** Pixel-art heroes of 17 species, 32 x 32. */
export const heroes: PretrainedModel = {
  name: 'heroes',
  // Written out, so that a bundler finds the file and copies it.
  weights: new URL('../models/heroes.safetensors', import.meta.url),
  sampling: { sampler: 'dpmpp-2m', steps: 20, guidance: 1.25 },
}
