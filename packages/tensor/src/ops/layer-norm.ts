import { isTracked, record } from '../autograd/tape.js'
import { scope } from '../scope.js'
import { sameShape } from '../shape.js'
import { commonBackend, empty, type Tensor } from '../tensor.js'
import { add, div, mul, sub } from './binary.js'
import { checkFloats } from './check-floats.js'
import { misfit } from './misfit.js'
import { mean } from './reduce.js'
import { reshape } from './shape.js'
import { affine, sqrt, square } from './unary.js'

/**
 * Layer norm over the last axis without affine parameters: (x - mean) / sqrt(variance + epsilon), with the biased
 * variance. Ba et al. 2016, "Layer Normalization", eq. 4.
 */
export function layerNorm(x: Tensor, epsilon: number): Tensor {
  return scope(() => {
    const centred = sub(x, mean(x, [-1], { keepDims: true }))
    const variance = mean(square(centred), [-1], { keepDims: true })
    return div(centred, sqrt(affine(variance, 1, epsilon)))
  })
}

/**
 * Layer norm whose scale and shift are given per sample (adaptive layer norm):
 *
 *   out = layerNorm(x) * (1 + scale) + shift
 *
 * @param x     `[B, N, D]`
 * @param shift `[B, D]`
 * @param scale `[B, D]`; the 1 is added here
 * @returns `[B, N, D]`
 * @throws RangeError when the extents do not fit
 *
 * Peebles & Xie 2022, section 3.2 (adaLN); Perez et al. 2018 (FiLM).
 */
export function layerNormModulate(x: Tensor, shift: Tensor, scale: Tensor, epsilon: number): Tensor {
  const [B, , D] = x.shape
  if (x.shape.length !== 3 || !sameShape(shift.shape, [B, D]) || !sameShape(scale.shape, [B, D])) {
    throw misfit(`layerNormModulate: x must be [B, N, D], shift and scale [B, D]`, [x, shift, scale])
  }
  const backend = commonBackend('layerNormModulate', [x, shift, scale])
  checkFloats('layerNormModulate', [x, shift, scale])
  const { layerNormModulate: forward, layerNormModulateBackward } = backend.kernels
  if (forward === undefined || layerNormModulateBackward === undefined) {
    return scope(() => {
      const gain = affine(reshape(scale, [B, 1, D]), 1, 1) // [B, 1, D]
      return add(mul(layerNorm(x, epsilon), gain), reshape(shift, [B, 1, D])) // [B, N, D]
    })
  }
  const inputs = [x, shift, scale]
  const needed = inputs.some(isTracked)
  const out = empty(backend, x.shape, x.dtype)
  const saved = forward(x, shift, scale, epsilon, out, needed)
  record({
    name: 'layerNormModulate',
    inputs,
    outputs: [out],
    saves: needed ? [x, scale] : [],
    backward: ([dout]) => {
      const [dx, dshift, dscale] = inputs.map((input) => empty(backend, input.shape, input.dtype))
      layerNormModulateBackward(x, scale, epsilon, saved, dout!, { dx, dshift, dscale })
      return [dx, dshift, dscale]
    },
    release: () => saved?.dispose(),
  })
  return out
}
