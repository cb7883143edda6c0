import {
  add,
  affine,
  attention,
  chunk,
  concat,
  type HeadRotation,
  linear,
  matmul,
  permute,
  qkNormRope,
  reshape,
  scope,
  softmax,
  stopGradient,
  type Tensor,
} from '@dit/tensor'
import type { DiTConfig } from '../config.js'
import { linearLayer, type ParameterTable } from '../parameter-spec.js'
import type { ReadParameter } from '../parameter-source.js'
import { ignore, type Trace } from '../trace.js'
import { affineNorm, LAYER_NORM_EPSILON, normParameters } from './norm.js'

/** Parameters of `selfAttention` among so many tokens. */
export function attentionParameters(config: DiTConfig, numTokens: number): ParameterTable {
  const { hiddenSize: D, numHeads, qkNorm } = config
  const norms = qkNorm === true ? ['attn.q_norm', 'attn.k_norm'] : []
  return {
    ...linearLayer('attn.qkv', [3 * D, D], numTokens),
    ...Object.assign({}, ...norms.map((name) => normParameters(config, name, D / numHeads, true))),
    ...linearLayer('attn.proj', [D, D], numTokens),
  }
}

/**
 * Self-attention with its projections, with queries and keys normalised and turned where the configuration says so.
 *
 * @param x        `[B, N, D]`
 * @param rotation for N tokens, or null
 * @param keyBias  added to scores of keys, `[B, 1, 1, N]`, where some are padding; null by default
 * @returns `[B, N, D]`
 */
export function selfAttention(
  x: Tensor,
  rotation: HeadRotation | null,
  param: ReadParameter,
  config: DiTConfig,
  trace: Trace,
  keyBias: Tensor | null = null,
): Tensor {
  return scope(() => {
    const qkv = linear(x, param('attn.qkv.weight'), param('attn.qkv.bias')) // [B, N, 3 D]
    trace('attn.qkv', qkv)
    const isPlain = config.qkNorm !== true && rotation === null
    const prepared = isPlain ? qkv : prepare(qkv, rotation, param, config, trace) // [B, N, 3 D]
    const { numHeads } = config
    const heads = keyBias === null ? attention(prepared, numHeads) : attendBiased(chunk(prepared, 3), numHeads, keyBias) // [B, N, D]
    const mixed = linear(heads, param('attn.proj.weight'), param('attn.proj.bias')) // [B, N, D]
    trace('attn', mixed)
    return mixed
  })
}

/**
 * Attention whose keys that do not count may stand anywhere: `keyBias` is added to the scores.
 *
 * @param tokens  q `[B, N, D]`, k `[B, M, D]`, v `[B, M, D]`
 * @param keyBias `[B, 1, 1, M]`
 * @returns `[B, N, D]`
 */
export function attendBiased([q, k, v]: readonly Tensor[], numHeads: number, keyBias: Tensor): Tensor {
  const headDim = q.shape[2] / numHeads
  const heads = (tokens: Tensor) => {
    const [B, count] = tokens.shape
    return permute(reshape(tokens, [B, count, numHeads, headDim]), [0, 2, 1, 3]) // [B, numHeads, count, headDim]
  }
  return scope(() => {
    const scores = affine(matmul(heads(q), heads(k), { transposeB: true }), headDim ** -0.5) // [B, numHeads, N, M]
    const mixed = matmul(softmax(add(scores, keyBias)), heads(v)) // [B, numHeads, N, headDim]
    return reshape(permute(mixed, [0, 2, 1, 3]), q.shape)
  })
}

/** Layer norms of heads have the usual epsilon, unlike those of tokens; RMS norms are alike. */
const HEAD_LAYER_NORM_EPSILON = 1e-5

/** `[B, N, 3 D]`, as `qkv`, with what is done to queries and keys before their product. */
function prepare(
  qkv: Tensor,
  rotation: HeadRotation | null,
  param: ReadParameter,
  config: DiTConfig,
  trace: Trace,
): Tensor {
  const { numHeads, norm, qkNorm } = config
  return scope(() => {
    const normed = qkNorm === true && norm !== 'rms' ? layerNormHeads(qkv, param, config) : qkv
    const scales =
      qkNorm === true && norm === 'rms'
        ? { q: param('attn.q_norm.weight'), k: param('attn.k_norm.weight'), epsilon: LAYER_NORM_EPSILON }
        : null
    const prepared = qkNormRope(normed, numHeads, { norm: scales, rotation }) // [B, N, 3 D]
    if (trace !== ignore) {
      // In the fused kernel there is nothing between the norm and the rotation.
      const beforeTurn = stopGradient(() => qkNormRope(normed, numHeads, { norm: scales, rotation: null }))
      traceHeads(trace, ['attn.q_norm', 'attn.k_norm'], beforeTurn, numHeads)
      if (rotation !== null) traceHeads(trace, ['rope_q', 'rope_k'], prepared, numHeads)
    }
    return prepared
  })
}

function layerNormHeads(qkv: Tensor, param: ReadParameter, config: DiTConfig): Tensor {
  return scope(() => {
    const [q, k, v] = chunk(qkv, 3) // 3 x [B, N, D]
    const [B, N, D] = q.shape
    const normed = (name: string, x: Tensor) => {
      const heads = reshape(x, [B, N, config.numHeads, D / config.numHeads])
      return reshape(affineNorm(heads, config, param, `attn.${name}_norm`, HEAD_LAYER_NORM_EPSILON), x.shape)
    }
    return concat([normed('q', q), normed('k', k), v], 2) // [B, N, 3 D]
  })
}

/** Queries and keys as `[B, numHeads, N, headDim]`, the order of other programs. */
function traceHeads(trace: Trace, names: readonly string[], qkv: Tensor, numHeads: number): void {
  stopGradient(() => {
    const parts = chunk(qkv, 3) // 3 x [B, N, D]
    const [B, N, D] = parts[0].shape
    for (const [i, name] of names.entries()) {
      trace(name, permute(reshape(parts[i], [B, N, numHeads, D / numHeads]), [0, 2, 1, 3]))
    }
  })
}
