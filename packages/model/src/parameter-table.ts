import type { Block } from './blocks/block.js'
import { blockOf } from './blocks/block-of.js'
import { conditionParameters } from './conditions/spec.js'
import { checkConfig, type DiTConfig, numTokens } from './config.js'
import { contextOf, hasContextTokens } from './context-tokens.js'
import { finalParameters } from './final-layer.js'
import { linearLayer, type ParameterSpec, type ParameterTable, trained } from './parameter-spec.js'

/** Number of sinusoidal features that the timestep embedder reads. Peebles & Xie 2022, appendix A. */
export const TIMESTEP_FEATURES = 256

/** Rows of a learned timestep table unless the configuration says otherwise. */
const DEFAULT_TIMESTEPS = 1000

/**
 * Every parameter of a network: shape, initial values, whether it is trained, and how often it is used. Initialisation, layouts, ONNX
 * files and counts are read off this table; what a block's parameters are stands beside its operations, in `blocks/`.
 *
 * The names and their order are those of the official state dicts. With `timestepEmbedding: 'table'` the four `t_embedder.mlp`
 * entries give way to `t_embedder.embedding_table.weight`; learned positions keep the name `pos_embed`. Conditions have parameters
 * `y_embedder.<name>.` in the place of the label's table.
 *
 * @param block its blocks: those of `config.block` by default
 * @throws RangeError when the configuration is invalid
 */
export function parameterTable(config: DiTConfig, block: Block = blockOf(config)): ParameterTable {
  checkConfig(config)
  const { hiddenSize: D, depth, positions } = config
  const N = numTokens(config)
  const { count, start } = contextOf(config)
  const isLearned = positions === 'learned'
  const table: Record<string, ParameterSpec> = {
    pos_embed: { shape: [1, N, D], init: isLearned ? 'normal' : 'sincos', isTrainable: isLearned, uses: 0 },
    ...(hasContextTokens(config) ? { in_context_posemb: trained([1, count, D], 'normal') } : {}),
    ...patchParameters(config, N),
    ...timestepParameters(config),
    ...conditionParameters(config),
    ...guidanceParameters(config),
  }
  Object.assign(table, block.shared?.(config))
  for (let i = 0; i < depth; i++) {
    const parameters = block.parameters(config, i < start ? N : N + count)
    for (const name of Object.keys(parameters)) table[`blocks.${i}.${name}`] = parameters[name]
  }
  return Object.assign(table, finalParameters(config))
}

function patchParameters(config: DiTConfig, N: number): ParameterTable {
  const { patchSize: P, inChannels: C, hiddenSize: D, patchBottleneck: width } = config
  if (width === undefined) {
    return {
      'x_embedder.proj.weight': trained([D, C, P, P], 'xavier', N),
      'x_embedder.proj.bias': trained([D], 'zeros'),
    }
  }
  return {
    'x_embedder.proj1.weight': trained([width, C, P, P], 'xavier', N),
    'x_embedder.proj2.weight': trained([D, width, 1, 1], 'xavier', N),
    'x_embedder.proj2.bias': trained([D], 'zeros'),
  }
}

/** Of the scale of guidance, where it is an input. The last layer begins as zeros, and the network as it would be without. */
function guidanceParameters({ hiddenSize: D, guidanceRange }: DiTConfig): ParameterTable {
  if (guidanceRange === undefined) return {}
  return {
    ...linearLayer('w_embedder.mlp.0', [D, TIMESTEP_FEATURES], 1, 'normal'),
    ...linearLayer('w_embedder.mlp.2', [D, D], 1, 'zeros'),
  }
}

function timestepParameters(config: DiTConfig): ParameterTable {
  const { hiddenSize: D, timestepEmbedding, numTimesteps = DEFAULT_TIMESTEPS } = config
  if (timestepEmbedding === 'table') {
    return { 't_embedder.embedding_table.weight': trained([numTimesteps, D], 'normal') }
  }
  return {
    ...linearLayer('t_embedder.mlp.0', [D, TIMESTEP_FEATURES], 1, 'normal'),
    ...linearLayer('t_embedder.mlp.2', [D, D], 1, 'normal'),
  }
}
