import { type Params, type Shape, sizeOf } from '@dit/tensor'
import { checkConfig, type DiTConfig, numTokens, outChannels } from './config.js'

/** Number of sinusoidal features that the timestep embedder reads. Peebles & Xie 2022, appendix A. */
export const TIMESTEP_FEATURES = 256

/** Rows of a learned timestep table unless the configuration says otherwise. */
const DEFAULT_TIMESTEPS = 1000

/**
 * Name and shape of every parameter, in the order and with the names of the official state dicts. Linear weights are
 * `[out, in]`. With `timestepEmbedding: 'table'` the four `t_embedder.mlp` entries give way to
 * `t_embedder.embedding_table.weight`; learned positions keep the name `pos_embed`.
 *
 * @throws RangeError when the configuration is invalid
 */
export function parameterShapes(config: DiTConfig): Record<string, Shape> {
  checkConfig(config)
  const { patchSize: P, inChannels: C, hiddenSize: D, depth, numClasses, classDropout } = config
  const shapes: Record<string, Shape> = {
    pos_embed: [1, numTokens(config), D],
    'x_embedder.proj.weight': [D, C, P, P],
    'x_embedder.proj.bias': [D],
    ...timestepEmbedderShapes(config),
    'y_embedder.embedding_table.weight': [classDropout > 0 ? numClasses + 1 : numClasses, D],
  }
  for (let i = 0; i < depth; i++) {
    for (const [name, shape] of Object.entries(blockShapes(config))) shapes[`blocks.${i}.${name}`] = shape
  }
  return {
    ...shapes,
    'final_layer.linear.weight': [P * P * outChannels(config), D],
    'final_layer.linear.bias': [P * P * outChannels(config)],
    'final_layer.adaLN_modulation.1.weight': [2 * D, D],
    'final_layer.adaLN_modulation.1.bias': [2 * D],
  }
}

function timestepEmbedderShapes(config: DiTConfig): Record<string, Shape> {
  const { hiddenSize: D, timestepEmbedding, numTimesteps = DEFAULT_TIMESTEPS } = config
  if (timestepEmbedding === 'table') return { 't_embedder.embedding_table.weight': [numTimesteps, D] }
  return {
    't_embedder.mlp.0.weight': [D, TIMESTEP_FEATURES],
    't_embedder.mlp.0.bias': [D],
    't_embedder.mlp.2.weight': [D, D],
    't_embedder.mlp.2.bias': [D],
  }
}

function blockShapes({ hiddenSize: D, mlpRatio }: DiTConfig): Record<string, Shape> {
  const hidden = Math.floor(D * mlpRatio)
  return {
    'attn.qkv.weight': [3 * D, D],
    'attn.qkv.bias': [3 * D],
    'attn.proj.weight': [D, D],
    'attn.proj.bias': [D],
    'mlp.fc1.weight': [hidden, D],
    'mlp.fc1.bias': [hidden],
    'mlp.fc2.weight': [D, hidden],
    'mlp.fc2.bias': [D],
    'adaLN_modulation.1.weight': [6 * D, D],
    'adaLN_modulation.1.bias': [6 * D],
  }
}

/** Whether training changes a parameter: all but a sine-cosine `pos_embed`. */
export function isTrainable({ positions }: DiTConfig, name: string): boolean {
  return name !== 'pos_embed' || positions === 'learned'
}

/** Whether a parameter is the weight of a linear layer (the patch embedding is one); the others are biases and tables. */
export function isLinearWeight(name: string): boolean {
  return name.endsWith('.weight') && !name.endsWith('embedding_table.weight')
}

/** The parameters that training changes: those to differentiate by and to hand to an optimizer. */
export function trainableParams(config: DiTConfig, params: Params): Params {
  return Object.fromEntries(Object.entries(params).filter(([name]) => isTrainable(config, name)))
}

/**
 * Number of parameters. The paper's figures are those of `trainable`.
 *
 * @throws RangeError when the configuration is invalid
 */
export function countParameters(config: DiTConfig): { readonly all: number; readonly trainable: number } {
  let [all, trainable] = [0, 0]
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    all += sizeOf(shape)
    if (isTrainable(config, name)) trainable += sizeOf(shape)
  }
  return { all, trainable }
}
