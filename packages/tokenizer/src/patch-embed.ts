import { formatShape, linear, reshape, scope, type Tensor } from '@dit/tensor'
import { patchify } from './patchify.js'

/**
 * Embeds every patch of an image: a convolution whose kernel and stride are the patch, written as patchify and a linear
 * layer.
 *
 *   tokens = patchify(x) W^T + bias
 *
 * @param x      `[B, C, H, W]`
 * @param weight `[D, C, P, P]`, as a convolution's in a PyTorch state dict; P is the patch size
 * @param bias   `[D]`, or null
 * @returns `[B, N, D]`
 * @throws RangeError when the weight does not fit `x`, or H or W is not a multiple of P
 */
export function patchEmbed(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  const [D, C, P, kernelWidth] = weight.shape
  if (weight.shape.length !== 4 || P !== kernelWidth || x.shape[1] !== C) {
    throw new RangeError(
      `patchEmbed: weight must be [D, C, P, P] for x [B, C, H, W] (got x ${formatShape(x.shape)}, weight ${formatShape(weight.shape)})`,
    )
  }
  return scope(() => linear(patchify(x, P), reshape(weight, [D, C * P * P]), bias)) // [B, N, D]
}
