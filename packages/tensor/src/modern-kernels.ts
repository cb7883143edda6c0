import type { Saved, View } from './backend.js'

/** What queries and keys are turned by: the cosines and sines of their places, `[N, headDim]`, channel by channel. */
export interface RotationViews {
  readonly cos: View
  readonly sin: View
}

/** Scales of the norms of queries and keys, `[headDim]` each. */
export interface HeadNormViews {
  readonly q: View
  readonly k: View
  readonly epsilon: number
}

/** Kernels of parts that newer transformers have, on the same terms as `FusedKernels`. */
export interface ModernKernels {
  /** out = silu(a) * b for rows [a, b] of x; x `[M, 2 H]`, out `[M, H]`. */
  swiglu(x: View, out: View): void
  swigluBackward(x: View, dout: View, dx: View): void
  /**
   * out = x / sqrt(mean(x^2) + epsilon) * weight * (1 + scale) + shift over the last axis; x `[B, N, D]`, weight `[D]`, shift and
   * scale `[B, D]` or null for none.
   */
  rmsNormModulate(
    x: View,
    weight: View,
    shift: View | null,
    scale: View | null,
    epsilon: number,
    out: View,
    keep: boolean,
  ): Saved | null
  /** Outputs of shift and scale are null where these are. */
  rmsNormModulateBackward(
    x: View,
    weight: View,
    scale: View | null,
    epsilon: number,
    saved: Saved | null,
    dout: View,
    outputs: { dx: View; dweight: View; dshift: View | null; dscale: View | null },
  ): void
  /**
   * Queries and keys of `qkv` normalised per head, x / sqrt(mean(x^2) + epsilon) * weight, and then turned,
   *
   *   out[2 i] = x[2 i] cos[2 i] - x[2 i + 1] sin[2 i],   out[2 i + 1] = x[2 i + 1] cos[2 i + 1] + x[2 i] sin[2 i + 1]
   *
   * with values as they are; either step may be null, not both. qkv and out `[B, N, 3 * D]`.
   */
  qkNormRope(
    qkv: View,
    numHeads: number,
    norm: HeadNormViews | null,
    rotation: RotationViews | null,
    out: View,
    keep: boolean,
  ): Saved | null
  /** Without a norm qkv and the gradients of its scales are null. */
  qkNormRopeBackward(
    qkv: View | null,
    numHeads: number,
    norm: HeadNormViews | null,
    rotation: RotationViews | null,
    saved: Saved | null,
    dout: View,
    outputs: { dqkv: View; dq: View | null; dk: View | null },
  ): void
  /**
   * out = softmax(q k^T / sqrt(headDim)) v for each head; q and out `[B, N, D]`, k and v `[B, M, D]`. Of the keys of a sample only the
   * first `lengths` count, i32 `[B]`, 1 .. M; null where all do. No buffer has N x M elements.
   */
  crossAttention(
    q: View,
    k: View,
    v: View,
    lengths: View | null,
    numHeads: number,
    out: View,
    keep: boolean,
  ): Saved | null
  /** Keys and values that do not count have gradients of 0. */
  crossAttentionBackward(
    q: View,
    k: View,
    v: View,
    lengths: View | null,
    numHeads: number,
    out: View,
    saved: Saved | null,
    dout: View,
    outputs: { dq: View; dk: View; dv: View },
  ): void
}
