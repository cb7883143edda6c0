import { labelEmbedding, sinusoidalFeatures, timestepMlp, timestepTableEmbedding } from '@dit/adaln'
import { add, type Backend, concat, linear, reshape, scope, silu, type Tensor } from '@dit/tensor'
import type { Condition } from './blocks/block.js'
import type { ConditionInputs, EmbeddedConditions } from './conditions/inputs.js'
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
 * embeddings as tokens where its blocks ask for them. With `conditions`, the sum of the timestep's and of those of all labels, vectors and
 * means of tokens. Where the scale of guidance is an input, its embedding is part of the timestep's.
 *
 * Peebles & Xie 2022, section 3.2. Li & He 2025 (JiT): the label as tokens of its own.
 */
export function conditioning(
  config: DiTConfig,
  param: ReadParameter,
  timesteps: ArrayLike<number>,
  told: {
    readonly labels?: ArrayLike<number> | undefined
    readonly conditions?: ConditionInputs | undefined
    readonly guidance?: ArrayLike<number> | undefined
  },
  trace: Trace,
): Conditioning {
  return scope(() => {
    const embedded = embedTimesteps(config, param, timesteps, trace) // [B, D]
    trace('t_emb', embedded)
    const embeddedTimesteps = // [B, D]
      config.guidanceRange === undefined ? embedded : add(embedded, embedScale(config, param, told.guidance!, trace))
    const { vectors, tokens, keyBias } = embedTold(config, param, told, embeddedTimesteps.backend, trace)
    const c = vectors.reduce((sum, vector) => add(sum, vector), embeddedTimesteps) // [B, D]
    trace('c', c)
    const siluC = silu(c) // [B, D], the same for every block
    const [B, D] = c.shape
    const token = (vector: Tensor) => reshape(vector, [B, 1, D]) // [B, 1, D]
    const list = [embeddedTimesteps, ...vectors]
    const all = () => concat([...list.map(token), ...(tokens === null ? [] : [tokens])], 1) // [B, M, D]; published: M = 2
    return {
      siluC,
      keyBias,
      embeddings: config.block === 'cross-attention' ? all() : null,
      modulation:
        config.sharedModulation === true
          ? linear(siluC, param('adaLN_modulation.1.weight'), param('adaLN_modulation.1.bias'))
          : null,
      context:
        config.block === 'in-context'
          ? all()
          : hasContextTokens(config)
            ? add(token(vectors[0]), param('in_context_posemb')) // [B, n, D]
            : null,
    }
  })
}

/** What the network is told besides the timestep: its label, or its conditions. */
function embedTold(
  config: DiTConfig,
  param: ReadParameter,
  { labels = [], conditions }: Parameters<typeof conditioning>[3],
  backend: Backend,
  trace: Trace,
): EmbeddedConditions {
  const none = { tokens: null, keyBias: null }
  if (conditions !== undefined) return conditions.embed(config, param, backend, trace)
  if (config.conditions !== undefined) return { vectors: [], ...none }
  const embeddedLabels = labelEmbedding(labels, param('y_embedder.embedding_table.weight')) // [B, D]
  trace('y_emb', embeddedLabels)
  return { vectors: [embeddedLabels], ...none }
}

function embedTimesteps(config: DiTConfig, param: ReadParameter, timesteps: ArrayLike<number>, trace: Trace): Tensor {
  if (config.timestepEmbedding === 'table') {
    return timestepTableEmbedding(timesteps, param('t_embedder.embedding_table.weight'))
  }
  return embedNumbers('t', timesteps, config.timestepFrequencyShift ?? 0, param, trace)
}

/** Most of what features of timesteps are made for, and so of those of scales. */
const FEATURE_RANGE = 1000

/** Embeds scales of guidance, `[B]`, as timesteps are, the ends of their range as 0 and 1000. */
function embedScale(
  { guidanceRange }: DiTConfig,
  param: ReadParameter,
  guidance: ArrayLike<number>,
  trace: Trace,
): Tensor {
  const [low, high] = guidanceRange!
  const scaled = Float32Array.from(guidance, (scale) => (FEATURE_RANGE * (scale - low)) / (high - low))
  return embedNumbers('w', scaled, 0, param, trace)
}

/** Sinusoidal features of numbers, `[B]`, through an MLP: `[B, D]`. */
function embedNumbers(
  name: string,
  numbers: ArrayLike<number>,
  frequencyShift: number,
  param: ReadParameter,
  trace: Trace,
): Tensor {
  const of = (part: string) => param(`${name}_embedder.mlp.${part}`)
  const weights = { weight0: of('0.weight'), bias0: of('0.bias'), weight2: of('2.weight'), bias2: of('2.bias') }
  const { backend } = weights.weight0
  const features = sinusoidalFeatures(numbers, { width: TIMESTEP_FEATURES, frequencyShift, backend }) // [B, 256]
  trace(`${name}_freq`, features)
  return timestepMlp(features, weights)
}
