import { isTracked, record } from '../autograd/tape.js'
import type { NormActivation } from '../backend.js'
import { scope } from '../scope.js'
import { formatShape, sameShape } from '../shape.js'
import { commonBackend, empty, type Tensor } from '../tensor.js'
import { add, mul } from './binary.js'
import { checkFloats } from './check-floats.js'
import { layerNorm } from './layer-norm.js'
import { misfit } from './misfit.js'
import { reshape } from './shape.js'
import { silu } from './unary.js'

export interface GroupNormOptions {
  /** Consecutive channels are put together in so many groups. */
  readonly numGroups: number
  /** Added to the variance; 1e-6 by default. */
  readonly epsilon?: number
  /** Applied to the result; `none` by default. */
  readonly activation?: NormActivation
}

/**
 * Group norm: each group of channels of a sample is brought to mean 0 and variance 1 over its channels and pixels.
 *
 *   out = activation((x - mean) / sqrt(variance + epsilon) * weight[c] + bias[c])
 *
 * with the biased variance.
 *
 * @param x      `[B, C, H, W]`
 * @param weight `[C]`
 * @param bias   `[C]`
 * @returns `[B, C, H, W]`
 * @throws RangeError when the extents do not fit, or the channels do not split into groups
 *
 * Wu & He 2018, "Group Normalization", eq. 1 to 3.
 */
export function groupNorm(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  { numGroups, epsilon = 1e-6, activation = 'none' }: GroupNormOptions,
): Tensor {
  const [B, C] = x.shape
  if (x.shape.length !== 4 || !sameShape(weight.shape, [C]) || !sameShape(bias.shape, [C])) {
    throw misfit(`groupNorm: x must be [B, C, H, W], weight and bias [C]`, [x, weight, bias])
  }
  if (!Number.isInteger(numGroups) || numGroups < 1 || C % numGroups !== 0) {
    throw new RangeError(
      `groupNorm: ${C} channels do not split into ${numGroups} groups (x is ${formatShape(x.shape)})`,
    )
  }
  const inputs = [x, weight, bias]
  const backend = commonBackend('groupNorm', inputs)
  checkFloats('groupNorm', inputs)
  const { groupNorm: forward, groupNormBackward } = backend.kernels
  if (forward === undefined || groupNormBackward === undefined) {
    return scope(() => {
      const normalized = reshape(layerNorm(reshape(x, [B, numGroups, -1]), epsilon), x.shape) // [B, C, H, W]
      const out = add(mul(normalized, reshape(weight, [1, C, 1, 1])), reshape(bias, [1, C, 1, 1]))
      return activation === 'silu' ? silu(out) : out
    })
  }
  const needs = inputs.map(isTracked)
  const out = empty(backend, x.shape, x.dtype)
  const saved = forward(x, weight, bias, { numGroups, epsilon, activation }, out, needs.includes(true))
  record({
    name: 'groupNorm',
    inputs,
    outputs: [out],
    saves: needs.includes(true) ? inputs : [],
    backward: ([dout]) => {
      const outputs = inputs.map((input, i) => (needs[i] ? empty(backend, input.shape, input.dtype) : null))
      const [dx, dweight, dbias] = outputs
      const norm = { numGroups, epsilon, activation }
      groupNormBackward(x, weight, bias, norm, saved, dout!, { dx, dweight, dbias })
      return outputs
    },
    release: () => saved?.dispose(),
  })
  return out
}
