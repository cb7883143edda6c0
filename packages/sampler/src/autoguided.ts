import type { Denoise } from '@dit/diffusion'
import { add, affine, scope, slice, sub, type Tensor } from '@dit/tensor'
import { checkScale, type Timesteps, withGuided } from './guided.js'

export interface AutoguidedOptions {
  /** 1 is the model alone; above 1 it leans away from the weak one. */
  readonly scale: number
}

/**
 * Guidance by a weaker model: what the two disagree on is taken further. The weak one is smaller, less trained, or told no
 * class; with the unconditional model this is classifier-free guidance.
 *
 *   x0 = weak + scale (strong - weak)         noise alike
 *
 * With a scale of exactly 1 the weak model is not run. Channels for the variance are the strong model's own.
 *
 * @throws RangeError when the scale is not finite
 *
 * Karras et al. 2024, "Guiding a Diffusion Model with a Bad Version of Itself", eq. 3.
 */
export function autoguided(strong: Denoise, weak: Denoise, { scale }: AutoguidedOptions): Denoise {
  checkScale('autoguided', scale)
  if (scale === 1) return strong
  return (...asked) => {
    const [ahead, behind] = [strong(...asked), weak(...asked)]
    return {
      x0: beyond(ahead.x0, behind.x0, scale),
      noise: beyond(ahead.noise, behind.noise, scale),
      ...(ahead.variance === undefined ? {} : { variance: ahead.variance }),
    }
  }
}

/**
 * The same around predict functions of one prediction type. Channels beyond those of `xt`, which are for the variance, are the
 * strong model's own.
 *
 * @returns `(xt, timesteps) => output`; the caller disposes of the output
 * @throws RangeError when the scale is not finite
 *
 * @example
 * ddim(diffusion, autoguidedPredict(model, smaller, { scale: 2 }), xT)
 */
export function autoguidedPredict<T extends Timesteps>(
  strong: (xt: Tensor, timesteps: T) => Tensor,
  weak: (xt: Tensor, timesteps: T) => Tensor,
  { scale }: AutoguidedOptions,
): (xt: Tensor, timesteps: T) => Tensor {
  checkScale('autoguidedPredict', scale)
  if (scale === 1) return strong
  return (xt, timesteps) =>
    scope(() => {
      const channels = xt.shape[1]
      const ahead = strong(xt, timesteps)
      const behind = slice(weak(xt, timesteps), 1, 0, channels)
      return withGuided(beyond(slice(ahead, 1, 0, channels), behind, scale), ahead)
    })
}

/** weak + scale (strong - weak) */
function beyond(strong: Tensor, weak: Tensor, scale: number): Tensor {
  return add(weak, affine(sub(strong, weak), scale))
}
