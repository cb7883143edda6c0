import { labelEmbedding, sinusoidalFeatures, timestepMlp, timestepTableEmbedding } from '@dit/adaln'
import { add, concat, linear, reshape, scope, silu, type Tensor } from '@dit/tensor'
import type { Condition } from './blocks/block.js'
import type { DiTConfig } from './config.js'
import { hasContextTokens } from './context-tokens.js'
import { TIMESTEP_FEATURES } from './parameter-table.js'
import type { ReadParameter } from './parameter-source.js'
import type { Trace } from './trace.js'

/** What blocks are told, and the tokens that join those of the picture, `[B, n, D]` or null. */
export interface Conditioning extends Omit<Condition, 'rotation'> {
  readonly context: Tensor | null
}

/**
 * The conditioning vector, c = timestep embedding + label embedding, in the forms in which the network reads it: through SiLU, and the two
 * embeddings as tokens where its blocks ask for them.
 *
 * Peebles & Xie 2022, section 3.2. Li & He 2025 (JiT): the label as tokens of its own.
 */
export function conditioning(
  config: DiTConfig,
  param: ReadParameter,
  timesteps: ArrayLike<number>,
  labels: ArrayLike<number>,
  trace: Trace,
): Conditioning {
  return scope(() => {
    const embeddedTimesteps = embedTimesteps(config, param, timesteps, trace) // [B, D]
    trace('t_emb', embeddedTimesteps)
    const embeddedLabels = labelEmbedding(labels, param('y_embedder.embedding_table.weight')) // [B, D]
    trace('y_emb', embeddedLabels)
    const c = add(embeddedTimesteps, embeddedLabels) // [B, D]
    trace('c', c)
    const siluC = silu(c) // [B, D], the same for every block
    const [B, D] = c.shape
    const token = (vector: Tensor) => reshape(vector, [B, 1, D]) // [B, 1, D]
    const pair = () => concat([token(embeddedTimesteps), token(embeddedLabels)], 1) // [B, 2, D]
    return {
      siluC,
      embeddings: config.block === 'cross-attention' ? pair() : null,
      modulation:
        config.sharedModulation === true
          ? linear(siluC, param('adaLN_modulation.1.weight'), param('adaLN_modulation.1.bias'))
          : null,
      context:
        config.block === 'in-context'
          ? pair()
          : hasContextTokens(config)
            ? add(token(embeddedLabels), param('in_context_posemb')) // [B, n, D]
            : null,
    }
  })
}

function embedTimesteps(config: DiTConfig, param: ReadParameter, timesteps: ArrayLike<number>, trace: Trace): Tensor {
  if (config.timestepEmbedding === 'table') {
    return timestepTableEmbedding(timesteps, param('t_embedder.embedding_table.weight'))
  }
  const weights = {
    weight0: param('t_embedder.mlp.0.weight'),
    bias0: param('t_embedder.mlp.0.bias'),
    weight2: param('t_embedder.mlp.2.weight'),
    bias2: param('t_embedder.mlp.2.bias'),
  }
  const { backend } = weights.weight0
  const frequencyShift = config.timestepFrequencyShift ?? 0
  const features = sinusoidalFeatures(timesteps, { width: TIMESTEP_FEATURES, frequencyShift, backend }) // [B, 256]
  trace('t_freq', features)
  return timestepMlp(features, weights)
}
