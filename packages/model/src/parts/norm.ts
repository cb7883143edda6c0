import {
  add,
  affine,
  div,
  layerNorm,
  layerNormModulate,
  mean,
  mul,
  reshape,
  scope,
  sqrt,
  square,
  type Tensor,
  zeros,
} from '@dit/tensor'
import type { DiTConfig } from '../config.js'
import { type ParameterTable, trained } from '../parameter-spec.js'
import type { ReadParameter } from '../parameter-source.js'

/** Added to the variance in every norm of tokens, which is not the usual 1e-5. */
export const LAYER_NORM_EPSILON = 1e-6

/** Trained scale of an RMS norm, or scale and shift of a layer norm that is not modulated. */
export function normParameters({ norm }: DiTConfig, name: string, width: number, isAffine: boolean): ParameterTable {
  const isRms = norm === 'rms'
  return {
    ...(isRms || isAffine ? { [`${name}.weight`]: trained([width], 'ones') } : {}),
    ...(!isRms && isAffine ? { [`${name}.bias`]: trained([width], 'zeros') } : {}),
  }
}

/**
 * Root mean square norm over the last axis, without its scale: x / sqrt(mean(x^2) + epsilon). Zhang & Sennrich 2019, "Root Mean Square
 * Layer Normalization", eq. 4.
 */
export function rmsNorm(x: Tensor, epsilon: number): Tensor {
  return scope(() => div(x, sqrt(affine(mean(square(x), [-1], { keepDims: true }), 1, epsilon))))
}

/**
 * A norm with trained scale, and shift if it is a layer norm, over the last axis.
 *
 * @param x    `[..., K]`
 * @param name of the norm's parameters, `[K]` each
 * @returns `[..., K]`
 */
export function affineNorm(
  x: Tensor,
  { norm }: DiTConfig,
  param: ReadParameter,
  name: string,
  epsilon: number,
): Tensor {
  return scope(() => {
    const weight = param(`${name}.weight`)
    return norm === 'rms'
      ? mul(rmsNorm(x, epsilon), weight)
      : add(mul(layerNorm(x, epsilon), weight), param(`${name}.bias`))
  })
}

/**
 * A norm whose scale and shift are given per sample: norm(x) (1 + scale) + shift, where an RMS norm has a trained scale of its own
 * before.
 *
 * @param x     `[B, N, D]`
 * @param shift `[B, D]`, or undefined for none
 * @param scale `[B, D]`
 * @param name  of the norm, whose parameter an RMS norm reads
 * @returns `[B, N, D]`
 */
export function modulatedNorm(
  x: Tensor,
  { shift, scale }: { readonly shift?: Tensor; readonly scale: Tensor },
  { norm }: DiTConfig,
  param: ReadParameter,
  name: string,
  epsilon: number,
): Tensor {
  return scope(() => {
    if (norm !== 'rms') {
      const { shape, backend, dtype } = scale
      return layerNormModulate(x, shift ?? zeros(shape, { backend, dtype }), scale, epsilon)
    }
    const perSample = (vector: Tensor) => reshape(vector, [vector.shape[0], 1, vector.shape[1]]) // [B, 1, D]
    const gain = mul(affine(perSample(scale), 1, 1), param(`${name}.weight`)) // [B, 1, D]
    const scaled = mul(rmsNorm(x, epsilon), gain) // [B, N, D]
    return shift === undefined ? scaled : add(scaled, perSample(shift))
  })
}

/** Normalised tokens, which do not exist by themselves in the fused kernel. */
export function plainNorm(x: Tensor, { norm }: DiTConfig, param: ReadParameter, name: string, epsilon: number): Tensor {
  return norm === 'rms' ? scope(() => mul(rmsNorm(x, epsilon), param(`${name}.weight`))) : layerNorm(x, epsilon)
}
