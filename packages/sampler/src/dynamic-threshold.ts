import {
  abs,
  add,
  affine,
  clamp,
  div,
  full,
  greater,
  maximum,
  minimum,
  neg,
  reshape,
  scope,
  sqrt,
  square,
  sum,
  type Tensor,
  where,
} from '@dit/tensor'

/** Options of `dynamicThreshold`. */
export interface DynamicThresholdOptions {
  /** Share of a sample's values that are kept as they are, in (0, 1] (default 0.995). */
  readonly ratio?: number
  /** Largest threshold; 1 (default) makes this a clamp to [-1, 1]. */
  readonly max?: number
}

/** Halvings after which a float32 quantile is known to its last bits. */
const HALVINGS = 40

/**
 * Dynamic thresholding, for the option `denoise` of `denoiser`: each sample is clamped to the quantile s of its absolute values, and
 * divided by it where it is above 1.
 *
 *   s  = min(max(quantile(|x0|, ratio), 1), max)
 *   x0 = clamp(x0, -s, s) / s
 *
 * The quantile lies between two of the sample's values, as numpy has it; both are found by halving an interval, on the engine.
 *
 * @throws RangeError for a ratio outside (0, 1] or a max that is not positive
 *
 * @example
 * const denoise = denoiser(predict, { prediction: 'epsilon', denoise: dynamicThreshold({ ratio: 0.995, max: 1.5 }) })
 *
 * Saharia et al. 2022, "Photorealistic Text-to-Image Diffusion Models with Deep Language Understanding", section 2.3.
 */
export function dynamicThreshold({ ratio = 0.995, max = 1 }: DynamicThresholdOptions = {}): (x0: Tensor) => Tensor {
  if (!(ratio > 0 && ratio <= 1)) throw new RangeError(`dynamicThreshold: ratio must be in (0, 1] (got ${ratio})`)
  if (!(max > 0)) throw new RangeError(`dynamicThreshold: max must be positive (got ${max})`)
  return (x0) =>
    scope(() => {
      if (max <= 1) return affine(clamp(x0, -max, max), 1 / max)
      const B = x0.shape[0]
      const flat = reshape(x0, [B, x0.size / B]) // [B, values]
      const s = clamp(quantile(abs(flat), ratio), 1, max) // [B, 1]
      return reshape(div(minimum(maximum(flat, neg(s)), s), s), x0.shape)
    })
}

/** The quantile of each row, on the straight line between the two values around it: `[B, values]` to `[B, 1]`; values from 0 up. */
function quantile(x: Tensor, ratio: number): Tensor {
  const last = x.shape[1] - 1
  const place = ratio * last
  const below = Math.floor(place)
  const share = place - below
  const low = ranked(x, below)
  return share === 0 ? low : add(affine(low, 1 - share), affine(ranked(x, below + 1), share))
}

/** The value of each row with `rank` values before it: the smallest bound that rank + 1 values do not pass. */
function ranked(x: Tensor, rank: number): Tensor {
  const { backend, dtype } = x
  const scalar = (value: number) => full([], value, { backend, dtype })
  const [one, none] = [scalar(1), scalar(0)]
  let low = affine(sum(x, [1], { keepDims: true }), 0)
  // No value exceeds the root of the sum of squares.
  let high = affine(sqrt(sum(square(x), [1], { keepDims: true })), 1 + 1e-6)
  for (let i = 0; i < HALVINGS; i++) {
    const [from, to] = [low, high]
    ;[low, high] = scope(() => {
      const middle = affine(add(from, to), 0.5)
      const above = sum(where(greater(x, middle), one, none), [1], { keepDims: true })
      const isTooLow = greater(above, scalar(x.shape[1] - rank - 1 + 0.5))
      return [where(isTooLow, middle, from), where(isTooLow, to, middle)]
    })
  }
  return high
}
