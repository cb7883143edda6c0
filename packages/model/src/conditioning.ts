import { labelEmbedding, sinusoidalFeatures, timestepMlp, timestepTableEmbedding } from '@dit/adaln'
import { add, scope, type Tensor } from '@dit/tensor'
import type { DiTConfig } from './config.js'
import { TIMESTEP_FEATURES } from './parameter-shapes.js'
import type { ReadParameter } from './parameter-source.js'
import type { Trace } from './trace.js'

/**
 * The conditioning vector: c = timestep embedding + label embedding.
 *
 * @returns `[B, D]`
 *
 * Peebles & Xie 2022, section 3.2.
 */
export function conditioning(
  config: DiTConfig,
  param: ReadParameter,
  timesteps: ArrayLike<number>,
  labels: ArrayLike<number>,
  trace: Trace,
): Tensor {
  return scope(() => {
    const embeddedTimesteps = embedTimesteps(config, param, timesteps, trace) // [B, D]
    trace('t_emb', embeddedTimesteps)
    const embeddedLabels = labelEmbedding(labels, param('y_embedder.embedding_table.weight')) // [B, D]
    trace('y_emb', embeddedLabels)
    const c = add(embeddedTimesteps, embeddedLabels) // [B, D]
    trace('c', c)
    return c
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
