import type { LatentScaling } from '@dit/model'
import type { VaeConfig } from '@dit/vae'

/** How an autoencoder scales its latents. */
export function scalingOf({ scalingFactor, shiftFactor, latentsMean, latentsStd }: VaeConfig): LatentScaling {
  if (latentsMean === undefined || latentsStd === undefined) return { scale: scalingFactor, mean: shiftFactor }
  return { scale: scalingFactor, mean: latentsMean, deviation: latentsStd }
}
