import { attention, chunk, concat, linear, permute, reshape, scope, stopGradient, type Tensor } from '@dit/tensor'
import type { DiTConfig } from '../config.js'
import { linearLayer, type ParameterTable } from '../parameter-spec.js'
import type { ReadParameter } from '../parameter-source.js'
import { ignore, type Trace } from '../trace.js'
import { affineNorm, LAYER_NORM_EPSILON, normParameters } from './norm.js'
import { rotate, type Rotation } from './rope.js'

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
 * @returns `[B, N, D]`
 */
export function selfAttention(
  x: Tensor,
  rotation: Rotation | null,
  param: ReadParameter,
  config: DiTConfig,
  trace: Trace,
): Tensor {
  return scope(() => {
    const qkv = linear(x, param('attn.qkv.weight'), param('attn.qkv.bias')) // [B, N, 3 D]
    trace('attn.qkv', qkv)
    const isPlain = config.qkNorm !== true && rotation === null
    const prepared = isPlain ? qkv : prepare(qkv, rotation, param, config, trace) // [B, N, 3 D]
    const mixed = linear(attention(prepared, config.numHeads), param('attn.proj.weight'), param('attn.proj.bias')) // [B, N, D]
    trace('attn', mixed)
    return mixed
  })
}

/** Layer norms of heads have the usual epsilon, unlike those of tokens; RMS norms are alike. */
const HEAD_LAYER_NORM_EPSILON = 1e-5

function prepare(
  qkv: Tensor,
  rotation: Rotation | null,
  param: ReadParameter,
  config: DiTConfig,
  trace: Trace,
): Tensor {
  const { numHeads, norm, qkNorm } = config
  const [B, N, width] = qkv.shape
  const epsilon = norm === 'rms' ? LAYER_NORM_EPSILON : HEAD_LAYER_NORM_EPSILON
  return scope(() => {
    const [q, k, v] = chunk(qkv, 3) // 3 x [B, N, D]
    const prepareOne = (name: string, x: Tensor) =>
      scope(() => {
        const heads = reshape(x, [B, N, numHeads, width / 3 / numHeads]) // [B, N, numHeads, headDim]
        const normed = qkNorm === true ? affineNorm(heads, config, param, `attn.${name}_norm`, epsilon) : heads
        traceHeads(trace, `attn.${name}_norm`, normed)
        const turned = rotation === null ? normed : rotate(normed, rotation)
        if (rotation !== null) traceHeads(trace, `rope_${name}`, turned)
        return reshape(turned, x.shape) // [B, N, D]
      })
    return concat([prepareOne('q', q), prepareOne('k', k), v], 2) // [B, N, 3 D]
  })
}

/** As `[B, numHeads, N, headDim]`, the order of other programs. */
function traceHeads(trace: Trace, name: string, heads: Tensor): void {
  if (trace !== ignore)
    trace(
      name,
      stopGradient(() => permute(heads, [0, 2, 1, 3])),
    )
}
