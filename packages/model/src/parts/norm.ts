import {
  add,
  layerNorm,
  layerNormModulate,
  mul,
  reshape,
  rmsNormModulate,
  scope,
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
    if (norm !== 'rms') return add(mul(layerNorm(x, epsilon), weight), param(`${name}.bias`))
    const rows = reshape(x, [1, -1, weight.shape[0]])
    return reshape(rmsNormModulate(rows, weight, {}, epsilon), x.shape)
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
    return rmsNormModulate(x, param(`${name}.weight`), { shift, scale }, epsilon)
  })
}

/** Normalised tokens, which do not exist by themselves in the fused kernel. */
export function plainNorm(x: Tensor, { norm }: DiTConfig, param: ReadParameter, name: string, epsilon: number): Tensor {
  return norm === 'rms' ? rmsNormModulate(x, param(`${name}.weight`), {}, epsilon) : layerNorm(x, epsilon)
}
