import { emptyGradient } from '../autograd/destinations.js'
import { isTracked, record } from '../autograd/tape.js'
import { scope } from '../scope.js'
import { sameShape } from '../shape.js'
import { commonBackend, empty, type Tensor } from '../tensor.js'
import { add, div, mul } from './binary.js'
import { checkFloats } from './check-floats.js'
import { misfit } from './misfit.js'
import { mean } from './reduce.js'
import { reshape } from './shape.js'
import { affine, sqrt, square } from './unary.js'

/**
 * Root mean square norm over the last axis, without its scale: x / sqrt(mean(x^2) + epsilon).
 *
 * Zhang & Sennrich 2019, "Root Mean Square Layer Normalization", eq. 4.
 */
export function rmsNorm(x: Tensor, epsilon: number): Tensor {
  return scope(() => div(x, sqrt(affine(mean(square(x), [-1], { keepDims: true }), 1, epsilon))))
}

/** What an RMS norm is modulated by, `[B, D]` each. */
export interface RmsModulation {
  readonly shift?: Tensor | undefined
  /** The 1 is added here. */
  readonly scale?: Tensor | undefined
}

/**
 * RMS norm with trained scale, modulated per sample where there is something to modulate it by:
 *
 *   out = rmsNorm(x) * weight * (1 + scale) + shift
 *
 * @param x      `[B, N, D]`
 * @param weight `[D]`
 * @returns `[B, N, D]`
 * @throws RangeError when the extents do not fit
 *
 * Zhang & Sennrich 2019, eq. 4; Peebles & Xie 2022, section 3.2 (the modulation).
 */
export function rmsNormModulate(x: Tensor, weight: Tensor, { shift, scale }: RmsModulation, epsilon: number): Tensor {
  const [B, , D] = x.shape
  const vectors = [shift, scale].filter((vector) => vector !== undefined)
  const inputs = [x, weight, ...vectors]
  if (
    x.shape.length !== 3 ||
    !sameShape(weight.shape, [D]) ||
    vectors.some((vector) => !sameShape(vector.shape, [B, D]))
  ) {
    throw misfit(`rmsNormModulate: x must be [B, N, D], weight [D], shift and scale [B, D]`, inputs)
  }
  const backend = commonBackend('rmsNormModulate', inputs)
  checkFloats('rmsNormModulate', inputs)
  const { rmsNormModulate: forward, rmsNormModulateBackward } = backend.kernels
  if (forward === undefined || rmsNormModulateBackward === undefined) {
    return scope(() => {
      const gain = scale === undefined ? weight : mul(affine(reshape(scale, [B, 1, D]), 1, 1), weight) // [B, 1, D] or [D]
      const scaled = mul(rmsNorm(x, epsilon), gain) // [B, N, D]
      return shift === undefined ? scaled : add(scaled, reshape(shift, [B, 1, D]))
    })
  }
  const needed = inputs.some(isTracked)
  const out = empty(backend, x.shape, x.dtype)
  const saved = forward(x, weight, shift ?? null, scale ?? null, epsilon, out, needed)
  record({
    name: 'rmsNormModulate',
    inputs,
    outputs: [out],
    saves: needed ? [x, weight, ...(scale === undefined ? [] : [scale])] : [],
    backward: ([dout]) => {
      const gradientOf = (vector: Tensor | undefined) =>
        vector === undefined ? null : empty(backend, vector.shape, vector.dtype)
      const [dx, dweight] = [empty(backend, x.shape, x.dtype), emptyGradient(weight)]
      const [dshift, dscale] = [gradientOf(shift), gradientOf(scale)]
      rmsNormModulateBackward(x, weight, scale ?? null, epsilon, saved, dout!, { dx, dweight, dshift, dscale })
      return [dx, dweight, dshift, dscale].filter((gradient) => gradient !== null)
    },
    release: () => saved?.dispose(),
  })
  return out
}
