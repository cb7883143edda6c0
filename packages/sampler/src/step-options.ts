import type { DenoisingOptions, NoisyBatch } from '@dit/diffusion'
import { formatShape, isFloat, sameShape, type Shape, type Tensor } from '@dit/tensor'

/** What every sampling step understands. */
export interface StepOptions extends DenoisingOptions {
  /**
   * Classifier guidance: the gradient of log p(y | xt) by xt, shaped like `xt`, already times its scale. It gets the
   * timesteps of the original process and is called inside a `scope`.
   *
   * Dhariwal and Nichol 2021, "Diffusion Models Beat GANs on Image Synthesis", algorithms 1 and 2.
   */
  readonly conditionGradient?: (xt: Tensor, originalTimesteps: Int32Array) => Tensor
}

/** What every sampling loop understands. */
export interface SamplerOptions extends StepOptions {
  /** Stops the loop between two steps: it frees what it holds and throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** Samples under way, and standard normal draws of their shape. */
export interface NoisyStep extends NoisyBatch {
  readonly noise: Tensor
}

/** Both `[B, C, H, W]`; the caller disposes of them. */
export interface StepResult {
  /** The samples after the step. */
  readonly xt: Tensor
  /** The model's estimate of x0 at this step, as it was used. */
  readonly x0: Tensor
}

/** Throws unless `noise` has the shape of xt. */
export function checkNoise(caller: string, noise: Tensor, shape: Shape): void {
  if (sameShape(noise.shape, shape)) return
  throw new RangeError(
    `${caller}: noise must have the shape of xt (got ${formatShape(noise.shape)} and ${formatShape(shape)})`,
  )
}

/** Throws unless a gradient of log p(y | xt) has the shape of xt. */
export function checkGradient(caller: string, gradient: Tensor, shape: Shape): void {
  if (sameShape(gradient.shape, shape)) return
  throw new RangeError(
    `${caller}: conditionGradient must return the shape of xt (got ${formatShape(gradient.shape)} and ${formatShape(shape)})`,
  )
}

/** Throws unless a loop can start from `x`. */
export function checkStart(caller: string, name: string, x: Tensor): void {
  if (x.shape.length < 2) throw new RangeError(`${caller}: ${name} must be [B, C, ...] (got ${formatShape(x.shape)})`)
  if (!isFloat(x.dtype)) throw new TypeError(`${caller}: ${name} must be a float tensor (got ${x.dtype})`)
}
