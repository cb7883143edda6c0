import type { Path } from '@dit/schedules'
import { add, affine, formatShape, reshape, sameShape, scope, type Tensor } from '@dit/tensor'
import { startNoise } from './noise.js'

/** How far a picture is taken back towards noise, and by what noise. */
export type StartFromPictureOptions = {
  /** Share of the path's steps to run, in [0, 1]: 0 keeps the picture, 1 begins at the first level. */
  readonly strength: number
} & (
  | { readonly noise: Tensor; readonly seed?: undefined; readonly firstSample?: undefined }
  /** Draws of `startNoise`. */
  | { readonly seed: number; readonly firstSample?: number; readonly noise?: undefined }
)

/** Where a sampler begins. */
export interface PictureStart {
  /** The rest of the path; without steps where the strength leaves none. */
  readonly path: Path
  /** The picture at the first level of that path, or the picture itself where there is none; the caller disposes of it. */
  readonly xT: Tensor
}

/**
 * The start of sampling from a picture: it is noised to a level in the middle of a path, and the rest of the path is run.
 *
 *   xT = alpha x0 + sigma noise          at the first of the last floor(strength numSteps) steps
 *
 * Where no step is left, `xT` is the picture: there is nothing to sample.
 *
 * @param x0 `[B, C, H, W]`, in the units of the network
 * @throws RangeError for a strength outside [0, 1], or noise of another shape
 *
 * @example
 * const { path: rest, xT } = startFromPicture(path, picture, { strength: 0.6, seed: 0 })
 * const result = rest.steps.length === 0 ? xT : await lastStep(heun(rest, denoise, xT))
 *
 * Meng et al. 2022, "SDEdit: Guided Image Synthesis and Editing with Stochastic Differential Equations", algorithm 1.
 */
export function startFromPicture(path: Path, x0: Tensor, options: StartFromPictureOptions): PictureStart {
  const { strength, noise, seed, firstSample } = options
  if (!(strength >= 0 && strength <= 1)) {
    throw new RangeError(`startFromPicture: strength must be in [0, 1] (got ${strength})`)
  }
  if (noise !== undefined && !sameShape(noise.shape, x0.shape)) {
    throw new RangeError(
      `startFromPicture: noise must have the shape of x0 (got ${formatShape(noise.shape)} and ${formatShape(x0.shape)})`,
    )
  }
  // 0.29 * 100 is a little below 29.
  const numSteps = Math.floor(path.steps.length * strength + 1e-9)
  const rest = { ...path, steps: path.steps.slice(path.steps.length - numSteps) }
  if (numSteps === 0) return { path: rest, xT: reshape(x0, x0.shape) }
  const { alpha, sigma } = rest.steps[0].from
  const xT = scope(() => {
    const draws = noise ?? startNoise(x0.shape, { seed, firstSample, backend: x0.backend })
    return add(affine(x0, alpha), affine(draws, sigma))
  })
  return { path: rest, xT }
}
