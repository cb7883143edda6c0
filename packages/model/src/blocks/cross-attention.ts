import { add, chunk, crossAttention as attend, linear, scope, type Tensor } from '@dit/tensor'
import { numEmbeddings } from '../conditions/spec.js'
import { linearLayer } from '../parameter-spec.js'
import type { ReadParameter } from '../parameter-source.js'
import { affineNorm, LAYER_NORM_EPSILON, normParameters } from '../parts/norm.js'
import { attendBiased, attentionParameters, selfAttention } from '../parts/attention.js'
import { mlp, mlpParameters } from '../parts/mlp.js'
import type { Block } from './block.js'

/**
 * Cross-attention conditioning: a transformer block with a second attention, in which tokens ask the embeddings of timestep and label, or of
 * timestep and conditions.
 *
 *   x = x + attention(norm(x))
 *   x = x + softmax(q k^T / sqrt(headDim)) v,   q from norm(x), k and v from the embeddings
 *   x = x + mlp(norm(x))
 *
 * The three norms have trained scales and shifts: with them, the parameters are as many as the paper says.
 *
 * Peebles & Xie 2022, section 3.2 ("Cross-attention block").
 */
export const crossAttention: Block = {
  parameters(config, numTokens) {
    const D = config.hiddenSize
    return {
      ...normParameters(config, 'norm1', D, true),
      ...normParameters(config, 'norm_cross', D, true),
      ...normParameters(config, 'norm2', D, true),
      ...attentionParameters(config, numTokens),
      ...linearLayer('cross_attn.q', [D, D], numTokens),
      ...linearLayer('cross_attn.kv', [2 * D, D], numEmbeddings(config)),
      ...linearLayer('cross_attn.proj', [D, D], numTokens),
      ...mlpParameters(config, numTokens),
    }
  },

  numScores: (numTokens, config) => numTokens ** 2 + numEmbeddings(config) * numTokens,

  apply(x, { embeddings, keyBias, rotation }, param, config, trace) {
    const norm = (name: string, tokens: Tensor, epsilon = LAYER_NORM_EPSILON) => {
      const normed = affineNorm(tokens, config, param, name, epsilon) // [B, N, D]
      trace(name, normed)
      return normed
    }
    return scope(() => {
      const mixed = add(x, selfAttention(norm('norm1', x), rotation, param, config, trace)) // [B, N, D]
      const asked = ask(norm('norm_cross', mixed), { others: embeddings!, keyBias }, param, config.numHeads) // [B, N, D]
      trace('cross_attn', asked)
      const between = add(mixed, asked) // [B, N, D]
      const hidden = mlp(norm('norm2', between, config.mlpNormEpsilon), param, config) // [B, N, D]
      trace('mlp', hidden)
      const out = add(between, hidden) // [B, N, D]
      trace('', out)
      return out
    })
  },
}

interface Asked {
  /** `[B, M, D]` */
  readonly others: Tensor
  /** `[B, 1, 1, M]` or null */
  readonly keyBias: Tensor | null
}

/** Attention of tokens `[B, N, D]` to others. */
function ask(x: Tensor, { others, keyBias }: Asked, param: ReadParameter, numHeads: number): Tensor {
  return scope(() => {
    const q = linear(x, param('cross_attn.q.weight'), param('cross_attn.q.bias')) // [B, N, D]
    const [k, v] = chunk(linear(others, param('cross_attn.kv.weight'), param('cross_attn.kv.bias')), 2) // 2 x [B, M, D]
    const mixed = keyBias === null ? attend(q, k, v, numHeads) : attendBiased([q, k, v], numHeads, keyBias) // [B, N, D]
    return linear(mixed, param('cross_attn.proj.weight'), param('cross_attn.proj.bias')) // [B, N, D]
  })
}
