import type { RandomStream } from '@dit/random'
import type { DType, TensorData } from './dtype.js'
import type { ModernKernels } from './modern-kernels.js'
import type { Shape } from './shape.js'

/** Memory of an engine, opaque to everybody else. */
export type BackendBuffer = unknown

/** What kernels see of a tensor: a contiguous, row-major range of a buffer. */
export interface View {
  readonly buffer: BackendBuffer
  /** Start in bytes; always 0 on a backend without views. */
  readonly byteOffset: number
  readonly shape: Shape
  readonly dtype: DType
}

/** Live memory of an engine. */
export interface BackendMemory {
  readonly buffers: number
  readonly bytes: number
  /** Largest `bytes` since the backend was made. */
  readonly peakBytes: number
}

/**
 * An engine that runs the kernels of `@dit/tensor`.
 *
 * To write one: implement this with the required kernels, run `@dit/tensor/conformance` on it, then override fused
 * kernels one by one where speed matters.
 */
export interface Backend {
  /** Unique among engines and printed to users, such as `reference` or `tfjs-wasm`. */
  readonly name: string
  /** Type of float tensors made without one: `f32`, but `f64` for `reference`. */
  readonly float: 'f32' | 'f64'
  /**
   * Element types that tensors may have. With `f16` or `bf16`, `linear` is given weights in it (`matmul` its B, where there is no
   * `linear`), without a backward pass and with `x`, `bias` and `out` in `float`; no other kernel is. The engine reads their exact
   * values, though it may take those below the smallest normal number (of f16 2^-14) for zero.
   */
  readonly dtypes: readonly DType[]
  /**
   * True where a tensor may be a part of a buffer. Without views a tensor fills its buffer, and parameters live in one
   * buffer each. (Either way one buffer may be seen under several shapes of one size.)
   */
  readonly supportsViews: boolean
  /** Largest buffer in bytes. */
  readonly maxBufferBytes: number
  /** New buffer with undefined contents. */
  allocate(byteLength: number): BackendBuffer
  free(buffer: BackendBuffer): void
  /** Copies host values into the view. `data` has the view's dtype and size. */
  upload(view: View, data: TensorData): void
  /** Copies the view's values to a new typed array of its dtype. */
  download(view: View): Promise<TensorData>
  /**
   * Copies the view's values to `into`, of its dtype and size, before it returns. Only engines whose memory the host reads
   * directly have it: there transfers between workers overlap with the backward pass.
   */
  read?(view: View, into: TensorData): void
  memory(): BackendMemory
  /**
   * Of engines that round gradients to half precision: the power of two, from 1 to 65536, by which they are multiplied before and
   * what is made of them is divided. A gradient too large for it gives results that are not finite. A trainer may set it between steps.
   */
  lossScale?: number
  readonly kernels: Kernels
  /** Ends the engine and frees what it holds. */
  dispose(): void | Promise<void>
}

export type Kernels = RequiredKernels &
  Partial<FusedKernels> &
  Partial<ModernKernels> &
  Partial<ImageKernels> &
  Partial<InferenceKernels>

/**
 * Element-wise functions of one argument. `gelu` is the tanh approximation (Hendrycks & Gimpel 2016); `relu` is max(x, 0) and
 * `relu6` min(max(x, 0), 6), with slope 0 at their corners.
 */
export type UnaryOp =
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'square'
  | 'abs'
  | 'tanh'
  | 'sigmoid'
  | 'silu'
  | 'gelu'
  | 'sin'
  | 'cos'
  | 'relu'
  | 'relu6'

/** Element-wise functions of two arguments; comparisons give 1 or 0, `maximum` and `minimum` NaN where an argument is NaN. */
export type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum' | 'greater' | 'less' | 'equal'

/**
 * Kernels every backend has. They are synchronous (an engine may queue the work), write every element of their outputs,
 * and never dispose of anything. Shapes and dtypes are checked before a kernel is called: `fill`, `copy`, `permute`, `slice`
 * and `concat` are also given i32 tensors, `select` an i32 condition, and everything else floats of one type, indices apart.
 * Element-wise kernels allow an output to be the very view of an input.
 */
export interface RequiredKernels {
  fill(out: View, value: number): void
  /** out = x, converted where the dtypes differ (float to i32 truncates towards zero). */
  copy(x: View, out: View): void
  unary(op: UnaryOp, x: View, out: View): void
  /** dx = dy * op'(x) */
  unaryBackward(op: UnaryOp, x: View, dy: View, dx: View): void
  /** out = scale * x + offset */
  affine(x: View, scale: number, offset: number, out: View): void
  /** x += scale * y, in place; same shapes. */
  accumulate(x: View, y: View, scale: number): void
  /** `a` and `b` broadcast to the shape of `out`. */
  binary(op: BinaryOp, a: View, b: View, out: View): void
  /** out = condition != 0 ? a : b, all broadcast to the shape of `out`. */
  select(condition: View, a: View, b: View, out: View): void
  /** Sum over `axes` (ascending); `out` has them with extent 1. */
  sum(x: View, axes: readonly number[], out: View): void
  /** out[g] = A[g] B[g] with A `[G, M, K]` (or `[G, K, M]` if transposeA) and B `[G, K, N]` (or `[G, N, K]`). */
  matmul(a: View, b: View, transposeA: boolean, transposeB: boolean, out: View): void
  /** Axis i of `out` is axis `axes[i]` of `x`; up to rank 6. */
  permute(x: View, axes: readonly number[], out: View): void
  /** The box of `x` that begins at `starts` and has the shape of `out`. */
  slice(x: View, starts: readonly number[], out: View): void
  concat(xs: readonly View[], axis: number, out: View): void
  /** out[i] = table[indices[i]]; table `[R, D]`, indices `[I]` i32 within range, out `[I, D]`. */
  gather(table: View, indices: View, out: View): void
  /** out = 0, then out[indices[i]] += updates[i]; updates `[I, D]`, out `[R, D]`. */
  scatterAdd(indices: View, updates: View, out: View): void
  /** Over the last axis, with the row maximum subtracted first. */
  softmax(x: View, out: View): void
  /** dx = y * (dy - sum(dy * y)) over the last axis. */
  softmaxBackward(y: View, dy: View, dx: View): void
}

/** Something a forward kernel keeps for its backward twin. */
export interface Saved {
  dispose(): void
}

/** What `linear` applies to its result. */
export type Activation = 'none' | 'gelu' | 'silu'

/** What `groupNorm` applies to its result. */
export type NormActivation = 'none' | 'silu'

/**
 * Where the windows of a convolution lie: the first begins `top` rows above and `left` columns before the image. How far
 * they reach beyond its other sides follows from the shape of the result; outside of the image there are zeros.
 */
export interface ConvWindow {
  /** Pixels from one window to the next. */
  readonly stride: number
  readonly top: number
  readonly left: number
}

/** What `conv2d` applies to its result. */
export type ConvActivation = 'none' | 'relu' | 'relu6'

/** A convolution whose channels are split into groups, with what follows it. */
export interface GroupedConvolution extends ConvWindow {
  /** Result channel o sees only the channels of x in its own group, number floor(o groups / O). */
  readonly groups: number
  readonly activation: ConvActivation
}

/** Where the windows of a pooling lie; the first begins `top` rows above and `left` columns before the image. */
export interface PoolWindow {
  readonly height: number
  readonly width: number
  /** Rows and columns from one window to the next. */
  readonly strideHeight: number
  readonly strideWidth: number
  readonly top: number
  readonly left: number
}

/** How `groupNorm` normalises. */
export interface GroupNormalization {
  readonly numGroups: number
  readonly epsilon: number
  readonly activation: NormActivation
}

/** Hyperparameters of one AdamW step (Loshchilov & Hutter 2019, algorithm 2), with an EMA of the result. */
export interface AdamWStep {
  readonly learningRate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
  /** Number of this step, from 1: the bias corrections are 1 - beta^step. */
  readonly step: number
  /** Gradients are multiplied by this first (clipping, loss scaling). */
  readonly gradientScale: number
  /** ema = emaDecay * ema + (1 - emaDecay) * parameter, after the update. */
  readonly emaDecay: number
}

/**
 * Kernels a backend may have. Where one is missing, `@dit/tensor` composes it from the required ones; a backend that
 * has a forward kernel also has its backward twin. `keep` tells whether `saved` will be asked for.
 */
export interface FusedKernels {
  /** out = activation(x W^T + bias); x `[M, K]`, weight `[O, K]`, bias `[O]` or null, out `[M, O]`. */
  linear(x: View, weight: View, bias: View | null, activation: Activation, out: View, keep: boolean): Saved | null
  /** A null output is not wanted. */
  linearBackward(
    x: View,
    weight: View,
    activation: Activation,
    saved: Saved | null,
    dout: View,
    outputs: { dx: View | null; dweight: View | null; dbias: View | null },
  ): void
  /** out = normalize(x) * (1 + scale) + shift over the last axis; x `[B, N, D]`, shift and scale `[B, D]`. */
  layerNormModulate(x: View, shift: View, scale: View, epsilon: number, out: View, keep: boolean): Saved | null
  layerNormModulateBackward(
    x: View,
    scale: View,
    epsilon: number,
    saved: Saved | null,
    dout: View,
    outputs: { dx: View; dshift: View; dscale: View },
  ): void
  /** Multi-head self-attention; qkv `[B, N, 3 * D]` as q, k, v, each split into heads; out `[B, N, D]`. */
  attention(qkv: View, numHeads: number, out: View, keep: boolean): Saved | null
  attentionBackward(qkv: View, numHeads: number, out: View, saved: Saved | null, dout: View, dqkv: View): void
  /** out = x + gate * h; x and h `[B, N, D]`, gate `[B, D]`. The gradient of x is dout itself. */
  gatedResidual(x: View, gate: View, h: View, out: View): void
  gatedResidualBackward(gate: View, h: View, dout: View, outputs: { dgate: View; dh: View }): void
  /** One AdamW step in place over flat segments, in the order of operations of `adamw`; `ema` may be null. */
  adamw(parameter: View, gradient: View, m: View, v: View, ema: View | null, step: AdamWStep): void
  /** Standard normals `start`, `start + 1`, ... of the stream, as `normals` of `@dit/random` draws them. */
  randomNormal(stream: RandomStream, start: number, out: View): void
}

/** Kernels of convolutional networks over images `[B, C, H, W]`, on the same terms as `FusedKernels`. */
export interface ImageKernels {
  /**
   * out[b, o, i, j] = bias[o] + sum over c, u, v of weight[o, c, u, v] x[b, c, stride i + u - top, stride j + v - left];
   * x `[B, C, H, W]`, weight `[O, C, KH, KW]`, bias `[O]` or null, out `[B, O, OH, OW]`.
   */
  conv2d(x: View, weight: View, bias: View | null, window: ConvWindow, out: View): void
  /** A null output is not wanted. */
  conv2dBackward(
    x: View,
    weight: View,
    window: ConvWindow,
    dout: View,
    outputs: { dx: View | null; dweight: View | null; dbias: View | null },
  ): void
  /** out = activation(normalize(x) * weight + bias) over each group of channels; x `[B, C, H, W]`, weight and bias `[C]`. */
  groupNorm(x: View, weight: View, bias: View, norm: GroupNormalization, out: View, keep: boolean): Saved | null
  /** A null output is not wanted. */
  groupNormBackward(
    x: View,
    weight: View,
    bias: View,
    norm: GroupNormalization,
    saved: Saved | null,
    dout: View,
    outputs: { dx: View | null; dweight: View | null; dbias: View | null },
  ): void
  /** out[b, c, i, j] = x[b, c, floor(i / 2), floor(j / 2)]; x `[B, C, H, W]`, out `[B, C, 2 H, 2 W]`. */
  upsample2x(x: View, out: View): void
  /** dx is the sum over the four pixels of dout that each pixel of x became. */
  upsample2xBackward(dout: View, dx: View): void
}

/**
 * Forward kernels of networks that judge pictures, each of them optional. They have no backward twins: where a gradient is wanted,
 * `@dit/tensor` composes the operation from other kernels.
 */
export interface InferenceKernels {
  /**
   * activation(conv2d) within each group of channels: x `[B, C, H, W]`, weight `[O, C / groups, KH, KW]`, bias `[O]` or null, out
   * `[B, O, OH, OW]`. Called where there is more than one group or an activation.
   */
  groupedConv2d(x: View, weight: View, bias: View | null, convolution: GroupedConvolution, out: View): void
  /**
   * The largest value of each window: x `[B, C, H, W]`, out `[B, C, OH, OW]`; NaN where there is one. Pixels outside of the image
   * do not count, and each window sees at least one inside.
   */
  maxPool2d(x: View, window: PoolWindow, out: View): void
  /** The mean of the pixels that each window sees, on the same terms. */
  averagePool2d(x: View, window: PoolWindow, out: View): void
}
