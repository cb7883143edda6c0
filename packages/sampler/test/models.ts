import { type GaussianDiffusion, gaussianProcess, type PredictAt } from '@dit/diffusion'
import { affine, div, mul, sub, tensor, type Tensor } from '@dit/tensor'

/** alphaBar is 0.64, then 0.36. */
export const twoStepsProcess = gaussianProcess({ betas: [0.36, 0.4375], varianceType: 'fixedSmall' })
export const twoSteps = twoStepsProcess.diffusion

/** The exact noise prediction for data that is always `x0`: (xt - sqrt(alphaBar) x0) / sqrt(1 - alphaBar). */
export function predictorOfPoint(diffusion: GaussianDiffusion, x0: Tensor): PredictAt {
  return (xt, original) => {
    const { sqrtAlphaBar, sqrtOneMinusAlphaBar } = diffusion.tables
    const factor = (table: Float64Array) => ofSamples(diffusion, table, original)
    return div(sub(xt, mul(factor(sqrtAlphaBar), x0)), factor(sqrtOneMinusAlphaBar))
  }
}

/**
 * The exact noise prediction for normal data of mean 0 and the given variance:
 * sqrt(1 - alphaBar) xt / (alphaBar variance + 1 - alphaBar).
 */
export function predictorOfNormal(diffusion: GaussianDiffusion, variance: number): PredictAt {
  const share = diffusion.tables.alphaBar.map((a) => Math.sqrt(1 - a) / (a * variance + 1 - a))
  return (xt, original) => mul(ofSamples(diffusion, share, original), xt)
}

/** Half of xt, whatever the timestep. */
export const half: PredictAt = (xt) => affine(xt, 0.5)

function ofSamples({ timestepMap }: GaussianDiffusion, table: Float64Array, original: ArrayLike<number>): Tensor {
  return tensor(
    Float64Array.from(original, (timestep) => table[timestepMap.indexOf(timestep)]),
    [original.length, 1, 1, 1],
  )
}
