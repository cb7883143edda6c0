import type { Denoise, Noised } from '@dit/diffusion'
import type { NoiseLevel } from '@dit/schedules'
import { add, affine, formatShape, mul, randomNormal, randomStream, type Tensor } from '@dit/tensor'
import { checkFirstSample } from './noise.js'
import { checkNoise } from './step-options.js'

/** What is known of the pictures, and the noise that hides it. */
export type InpaintingOptions = {
  /** The known pictures, `[B, C, H, W]`, or `[1, ...]` for all of them; what is not known may be anything finite. */
  readonly x0: Tensor
  /** 1 where `x0` is kept and 0 where it is filled in, `[1 or B, 1 or C, H, W]`; values between blend the two. */
  readonly mask: Tensor
} &
  /** The same noise at every level (a tensor shaped like `xt`), or that of a level; it is freed where a function made it. */
  (
    | {
        readonly noise: Tensor | ((level: NoiseLevel) => Tensor)
        readonly seed?: undefined
        readonly firstSample?: undefined
      }
    /** New noise at every level: a function of the seed, the level and the number of the sample. */
    | { readonly seed: number; readonly firstSample?: number; readonly noise?: undefined }
  )

/**
 * A denoiser that keeps a part of the pictures and fills in the rest. At every level the known part is noised anew and takes the
 * place of what the solver has there.
 *
 *   seen  = mask (alpha x0 + sigma noise) + (1 - mask) xt          what the network sees
 *   x0    = mask x0 + (1 - mask) estimate
 *   noise = mask (xt - alpha x0) / sigma + (1 - mask) estimate     what leads from x0 to xt, as of any denoiser
 *
 * Where sigma is 0 the noise is that of the call before in the same step, which is what led there. Channels for the variance are the
 * network's.
 *
 * It serves any solver over a path; one that ends without noise ends at the known picture where the mask is 1: `rungeKutta` and
 * `dormandPrince` on straight paths, and on others but for their error. The steps are not repeated, as RePaint does to bring both
 * parts closer together.
 *
 * @throws TypeError where there is neither a seed nor noise; RangeError for a `firstSample` that numbers no sample and, when called,
 *   where `x0`, the mask or the noise does not fit xt
 *
 * @example
 * heun(path, inpainting(denoise, { x0: picture, mask, seed: 0 }), xT)
 *
 * Lugmayr et al. 2022, "RePaint: Inpainting using Denoising Diffusion Probabilistic Models", eq. 8.
 */
export function inpainting(denoise: Denoise, { x0, mask, noise, seed, firstSample = 0 }: InpaintingOptions): Denoise {
  if (noise === undefined) {
    if (seed === undefined) throw new TypeError('inpainting: a seed or noise is needed (got neither)')
    randomStream(seed) // throws for a seed out of range
    checkFirstSample('inpainting', firstSample)
  }
  const draw = (level: NoiseLevel, xt: Tensor): Tensor => {
    if (noise !== undefined) {
      const given = typeof noise === 'function' ? noise(level) : noise
      checkNoise('inpainting', given, xt.shape)
      return given
    }
    const stream = randomStream(seed, 'sampler', 'inpainting', String(level.sigma / level.alpha))
    return randomNormal(xt.shape, stream, { start: (firstSample * xt.size) / xt.shape[0], backend: xt.backend })
  }
  // Lives as long as the step in which it was made: a solver takes each of its steps in a scope.
  let before: Tensor | null = null
  const hide = ({ xt, level }: Noised): Tensor => {
    const known = add(affine(x0, level.alpha), affine(draw(level, xt), level.sigma))
    return blend(mask, known, xt)
  }
  return (xt, level, step, seen) => {
    checkFits('x0', x0, xt)
    checkFits('mask', mask, xt)
    const shown = seen === undefined ? undefined : { xt: hide(seen), level: seen.level }
    const found = denoise(hide({ xt, level }), level, step, shown)
    const { alpha, sigma } = level
    const leads =
      sigma === 0 ? (aliveOf(before) ?? draw(level, xt)) : add(affine(xt, 1 / sigma), affine(x0, -alpha / sigma))
    before = leads
    return {
      x0: blend(mask, x0, found.x0),
      noise: blend(mask, leads, found.noise),
      ...(found.variance === undefined ? {} : { variance: found.variance }),
    }
  }
}

/** mask known + (1 - mask) other */
function blend(mask: Tensor, known: Tensor, other: Tensor): Tensor {
  return add(mul(mask, known), mul(affine(mask, -1, 1), other))
}

function aliveOf(tensor: Tensor | null): Tensor | null {
  return tensor?.isAlive === true ? tensor : null
}

function checkFits(name: string, given: Tensor, xt: Tensor): void {
  const { shape } = given
  const fits = shape.length === xt.shape.length && shape.every((extent, i) => extent === 1 || extent === xt.shape[i])
  if (fits) return
  throw new RangeError(`inpainting: ${name} must fit xt ${formatShape(xt.shape)} (got ${formatShape(shape)})`)
}
