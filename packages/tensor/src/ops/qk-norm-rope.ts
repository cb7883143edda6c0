import { emptyGradient } from '../autograd/destinations.js'
import { isTracked, record } from '../autograd/tape.js'
import { scope } from '../scope.js'
import { sameShape } from '../shape.js'
import { commonBackend, empty, type Tensor } from '../tensor.js'
import { add, mul } from './binary.js'
import { checkFloats } from './check-floats.js'
import { misfit } from './misfit.js'
import { rmsNorm } from './rms-norm.js'
import { chunk, concat, reshape, slice } from './shape.js'
import { neg } from './unary.js'

/** Trained scales of the norms of queries and keys, the same for every head. */
export interface HeadNorm {
  /** `[headDim]` */
  readonly q: Tensor
  /** `[headDim]` */
  readonly k: Tensor
  readonly epsilon: number
}

/** Cosines and sines of the angles that each channel of a token is turned by; both channels of a pair have the same. */
export interface HeadRotation {
  /** `[N, headDim]` */
  readonly cos: Tensor
  /** `[N, headDim]` */
  readonly sin: Tensor
}

export interface QkNormRopeOptions {
  /** RMS norms of queries and keys (QK norm); null for none. */
  readonly norm: HeadNorm | null
  /** Rotary position embedding; null for none. */
  readonly rotation: HeadRotation | null
}

/**
 * What is done to queries and keys before their product: an RMS norm over each head, then a rotation of each pair of
 * neighbouring channels by the place of the token,
 *
 *   out[2 i] = x[2 i] cos[2 i] - x[2 i + 1] sin[2 i],   out[2 i + 1] = x[2 i + 1] cos[2 i + 1] + x[2 i] sin[2 i + 1]
 *
 * Values pass as they are. The rotation is constant: it has no gradient.
 *
 * @param qkv `[B, N, 3 D]`, as `attention` takes it
 * @returns `[B, N, 3 D]`
 * @throws RangeError when the extents do not fit, or heads of an odd width are to be turned
 *
 * Su et al. 2021, "RoFormer", eq. 34 (the rotation); Henry et al. 2020, "Query-Key Normalization for Transformers"; Dehghani et al.
 * 2023, "Scaling Vision Transformers to 22 Billion Parameters" (a norm with trained scale in its stead).
 */
export function qkNormRope(qkv: Tensor, numHeads: number, { norm, rotation }: QkNormRopeOptions): Tensor {
  const [, , width] = qkv.shape
  const headDim = width / 3 / numHeads
  check(qkv, numHeads, headDim, { norm, rotation })
  const weights = norm === null ? [] : [norm.q, norm.k]
  const tables = rotation === null ? [] : [rotation.cos, rotation.sin]
  const inputs = [qkv, ...weights]
  const backend = commonBackend('qkNormRope', [...inputs, ...tables])
  checkFloats('qkNormRope', [...inputs, ...tables])
  if (norm === null && rotation === null) return reshape(qkv, qkv.shape)
  const { qkNormRope: forward, qkNormRopeBackward } = backend.kernels
  if (forward === undefined || qkNormRopeBackward === undefined) return composed(qkv, numHeads, { norm, rotation })

  const needed = inputs.some(isTracked)
  const out = empty(backend, qkv.shape, qkv.dtype)
  const saved = forward(qkv, numHeads, norm, rotation, out, needed)
  record({
    name: 'qkNormRope',
    inputs,
    outputs: [out],
    // Without a norm the gradient does not depend on what was turned.
    saves: needed ? [...(norm === null ? [] : inputs), ...tables] : [],
    backward: ([dout]) => {
      const dqkv = empty(backend, qkv.shape, qkv.dtype)
      const [dq = null, dk = null] = weights.map(emptyGradient)
      qkNormRopeBackward(norm && qkv, numHeads, norm, rotation, saved, dout!, { dqkv, dq, dk })
      return [dqkv, ...(dq === null || dk === null ? [] : [dq, dk])]
    },
    release: () => saved?.dispose(),
  })
  return out
}

function composed(qkv: Tensor, numHeads: number, { norm, rotation }: QkNormRopeOptions): Tensor {
  return scope(() => {
    const [q, k, v] = chunk(qkv, 3) // 3 x [B, N, D]
    const [B, N, D] = q.shape
    const prepare = (x: Tensor, weight: Tensor | null) =>
      scope(() => {
        const heads = reshape(x, [B, N, numHeads, D / numHeads])
        const normed = weight === null ? heads : mul(rmsNorm(heads, norm!.epsilon), weight)
        return reshape(rotation === null ? normed : turned(normed, rotation), x.shape) // [B, N, D]
      })
    return concat([prepare(q, norm && norm.q), prepare(k, norm && norm.k), v], 2)
  })
}

/** x cos + (-x[2 i + 1], x[2 i]) sin */
function turned(x: Tensor, { cos, sin }: HeadRotation): Tensor {
  const [B, N, numHeads, headDim] = x.shape
  return scope(() => {
    const pairs = reshape(x, [B * N * numHeads, headDim / 2, 2])
    const [first, second] = [0, 1].map((at) => slice(pairs, 2, at, 1)) // [B N numHeads, headDim / 2, 1]
    const across = reshape(concat([neg(second), first], 2), x.shape)
    const perToken = (table: Tensor) => reshape(table, [N, 1, headDim])
    return add(mul(x, perToken(cos)), mul(across, perToken(sin)))
  })
}

function check(qkv: Tensor, numHeads: number, headDim: number, { norm, rotation }: QkNormRopeOptions): void {
  if (qkv.shape.length !== 3 || !Number.isInteger(numHeads) || !Number.isInteger(headDim) || numHeads < 1) {
    throw misfit(`qkNormRope: qkv must be [B, N, 3 * ${numHeads} * headDim]`, [qkv])
  }
  const scales = norm === null ? [] : [norm.q, norm.k]
  const tables = rotation === null ? [] : [rotation.cos, rotation.sin]
  if (
    scales.some(({ shape }) => !sameShape(shape, [headDim])) ||
    tables.some(({ shape }) => headDim % 2 !== 0 || !sameShape(shape, [qkv.shape[1], headDim]))
  ) {
    throw misfit(
      `qkNormRope: scales must be [headDim], cos and sin [N, headDim] for an even headDim, here ${headDim}`,
      [qkv, ...scales, ...tables],
    )
  }
}
