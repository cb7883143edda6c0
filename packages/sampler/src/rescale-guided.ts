import { affine, div, mean, mul, scope, sqrt, square, sub, type Tensor } from '@dit/tensor'

/**
 * Guided output with the contrast of the conditional one: strong guidance makes pictures too bright or too dark.
 *
 *   output = guided (1 - phi + phi std(cond) / std(guided))
 *
 * The standard deviations are those of each sample, over all its elements.
 *
 * @param guided `[B, C, H, W]`
 * @param cond shape of `guided`
 * @param phi 0 leaves the output as it is, 1 gives it all of the contrast; the paper takes 0.7
 * @returns `[B, C, H, W]`; the caller disposes of it
 * @throws RangeError when phi is not in [0, 1]
 *
 * Lin et al. 2024, "Common Diffusion Noise Schedules and Sample Steps are Flawed", eq. 14 to 16.
 */
export function rescaleGuided(guided: Tensor, cond: Tensor, phi: number): Tensor {
  checkPhi('rescaleGuided', phi)
  return scope(() => {
    const ratio = div(deviation(cond), deviation(guided)) // [B, 1, ...]
    return mul(guided, affine(ratio, phi, 1 - phi))
  })
}

/** Throws unless it is in [0, 1]. */
export function checkPhi(caller: string, phi: number): void {
  if (!(phi >= 0 && phi <= 1)) throw new RangeError(`${caller}: the rescaling phi must be in [0, 1] (got ${phi})`)
}

/** Standard deviation of each sample, `[B, 1, ...]`. */
function deviation(x: Tensor): Tensor {
  const axes = x.shape.slice(1).map((_, i) => i + 1)
  const centred = sub(x, mean(x, axes, { keepDims: true }))
  return sqrt(mean(square(centred), axes, { keepDims: true }))
}
