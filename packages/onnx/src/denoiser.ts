import {
  type DiTConfig,
  LAYER_NORM_EPSILON,
  nullLabel,
  outChannels,
  TIMESTEP_FEATURES,
  unpublishedFields,
} from '@dit/model'
import { tokenGrid } from '@dit/tokenizer'
import { GraphBuilder, type OnnxGraph } from './graph.js'
import { operationsOf } from './operations.js'

export interface DenoiserOptions {
  /**
   * Puts classifier-free guidance into the graph: it then has the input `guidance_scale` and runs the network on a doubled
   * batch. Not by default.
   */
  readonly guidance?: {
    /** The label that stands for no class; that of the configuration by default. */
    readonly nullLabel?: number
    /** How many of the first latent channels are guided: 3 by default, as in the DiT code, or fewer where there are. */
    readonly channels?: number | 'all'
  }
}

/** As in the reference implementation of DiT, where the fourth of the four latent channels stays unguided. */
const GUIDED_CHANNELS = 3

/**
 * The graph of a Diffusion Transformer.
 *
 * - inputs: `xt` float `[batch, C, H, W]`, `timesteps` float `[batch]` (int64 with a timestep table), `labels` int64 `[batch]`,
 *   and with guidance `guidance_scale`, a float scalar
 * - output: `output`, float `[batch, C_out, H, W]`, as `forward` of @dit/model, or as `guided` of @dit/sampler around it
 *
 * Features of timesteps are computed in float32 there, which costs up to 1e-4 of a feature near timestep 1000.
 *
 * A label that is no row of the table, -1 too, is an error of the runtime; where a runtime does not check `Gather`, the output of its
 * example is NaN.
 *
 * @throws RangeError when guidance is asked of a model without a null class, or of channels that there are not
 * @throws RangeError naming the fields of a configuration whose blocks are not those of the published DiT
 */
export function denoiserGraph(config: DiTConfig, { guidance }: DenoiserOptions = {}): OnnxGraph {
  const unknown = unpublishedFields(config)
  if (unknown.length > 0) {
    throw new RangeError(
      `denoiserGraph: only the blocks of the published DiT can be written as ONNX (the network has another ${unknown.join(', ')})`,
    )
  }
  const graph = new GraphBuilder()
  const { add, concat, halves, mul } = operationsOf(graph)
  const [H, W] = latentSize(config)
  const shape = ['batch', config.inChannels, H, W]
  const xt = graph.input('xt', 'float', shape)
  const timesteps = graph.input('timesteps', config.timestepEmbedding === 'table' ? 'int64' : 'float', ['batch'])
  const labels = graph.input('labels', 'int64', ['batch'])
  const outputShape = ['batch', outChannels(config), H, W]
  if (guidance === undefined) {
    graph.output('output', network(graph, config, { xt, timesteps, labels }), outputShape)
    return graph.finish('denoiser')
  }
  const none = guidance.nullLabel ?? nullLabel(config)
  const channels = guidedChannels(config, guidance.channels)
  if (none === null) throw new RangeError('denoiserGraph: guidance needs a null class (classDropout is 0)')
  const scale = graph.input('guidance_scale', 'float', [])
  const noClass = graph.node('Expand', [graph.integers([none]), graph.node('Shape', [labels])])
  const both = {
    xt: concat([xt, xt], 0),
    timesteps: concat([timesteps, timesteps], 0),
    labels: concat([labels, noClass], 0),
  }
  const [conditional, unconditional] = halves(network(graph, config, both), 0)
  const rest = outChannels(config) - channels
  const cut = (x: string) =>
    rest === 0 ? [x] : graph.split('Split', [x, graph.integers([channels, rest])], 2, { axis: 1 })
  const [towards, ...unguided] = cut(conditional)
  const [from] = cut(unconditional)
  const guided = add(from, mul(scale, graph.node('Sub', [towards, from])))
  graph.output('output', rest === 0 ? guided : concat([guided, ...unguided], 1), outputShape)
  return graph.finish('guided_denoiser')
}

interface Inputs {
  readonly xt: string
  readonly timesteps: string
  readonly labels: string
}

function network(graph: GraphBuilder, config: DiTConfig, { xt, timesteps, labels }: Inputs): string {
  const { add, linear, reshape, silu, transpose } = operationsOf(graph)
  const { patchSize: P, inChannels: C, hiddenSize: D, depth } = config
  const [rows, columns] = tokenGrid(config.inputSize, P)
  const N = rows * columns
  const filter = [graph.parameter('x_embedder.proj.weight', [D, C, P, P]), graph.parameter('x_embedder.proj.bias', [D])]
  const patches = graph.node('Conv', [xt, ...filter], { kernel_shape: [P, P], strides: [P, P] }) // [B, D, rows, columns]
  const tokens = transpose(reshape(patches, [0, D, N]), [0, 2, 1]) // [B, N, D]
  let x = add(tokens, graph.parameter('pos_embed', [1, N, D]))
  const table = { name: 'y_embedder.embedding_table.weight', rows: labelRows(config), width: D }
  const c = add(embeddedTimesteps(graph, config, timesteps), rowsOfTable(graph, table, labels)) // [B, D]
  const siluC = silu(c)
  for (let i = 0; i < depth; i++) x = block(graph, config, { x, siluC }, `blocks.${i}`, N)

  const [shift, scale] = modulation(graph, config, siluC, 'final_layer.adaLN_modulation.1', 2)
  const normed = modulated(graph, config, x, { shift, scale, epsilon: LAYER_NORM_EPSILON })
  const width = P * P * outChannels(config)
  const out = linear(normed, 'final_layer.linear', [width, D], [-1, rows, columns]) // [B, rows, columns, P P C_out]
  const cut = transpose(reshape(out, [-1, rows, columns, P, P, outChannels(config)]), [0, 5, 1, 3, 2, 4])
  return reshape(cut, [-1, outChannels(config), rows * P, columns * P]) // [B, C_out, H, W]
}

function block(
  graph: GraphBuilder,
  config: DiTConfig,
  { x, siluC }: { x: string; siluC: string },
  name: string,
  N: number,
): string {
  const { add, attention, gelu, linear, mul, reshape, transpose } = operationsOf(graph)
  const { hiddenSize: D, numHeads, mlpRatio, mlpNormEpsilon = LAYER_NORM_EPSILON } = config
  const headDim = D / numHeads
  const hidden = Math.floor(D * mlpRatio)
  const parts = modulation(graph, config, siluC, `${name}.adaLN_modulation.1`, 6)
  const [shiftMsa, scaleMsa, gateMsa, shiftMlp, scaleMlp, gateMlp] = parts // each [B, 1, D]

  const toMix = modulated(graph, config, x, { shift: shiftMsa, scale: scaleMsa, epsilon: LAYER_NORM_EPSILON })
  const qkv = linear(toMix, `${name}.attn.qkv`, [3 * D, D], [-1, N]) // [B, N, 3 D]
  const heads = transpose(reshape(qkv, [-1, N, 3, numHeads, headDim]), [2, 0, 3, 1, 4]) // [3, B, numHeads, N, headDim]
  const [q, k, v] = graph
    .split('Split', [heads], 3, { axis: 0 })
    .map((part) => graph.node('Squeeze', [part, graph.integers([0])]))
  const mixed = transpose(attention(q, k, v, headDim, 4), [0, 2, 1, 3]) // [B, N, numHeads, headDim]
  const projected = linear(reshape(mixed, [-1, N, D]), `${name}.attn.proj`, [D, D], [-1, N])
  const between = add(x, mul(gateMsa, projected)) // [B, N, D]

  const toMlp = modulated(graph, config, between, { shift: shiftMlp, scale: scaleMlp, epsilon: mlpNormEpsilon })
  const activated = gelu(linear(toMlp, `${name}.mlp.fc1`, [hidden, D], [-1, N]))
  return add(between, mul(gateMlp, linear(activated, `${name}.mlp.fc2`, [D, hidden], [-1, N])))
}

/** SiLU(c) W^T + bias, cut into parts of `[B, 1, D]`. */
function modulation(graph: GraphBuilder, { hiddenSize: D }: DiTConfig, siluC: string, name: string, count: number) {
  const { linear, reshape } = operationsOf(graph)
  const all = reshape(linear(siluC, name, [count * D, D], null), [-1, 1, count * D])
  return graph.split('Split', [all], count, { axis: 2 })
}

/** layerNorm(x) (1 + scale) + shift */
function modulated(
  graph: GraphBuilder,
  { hiddenSize: D }: DiTConfig,
  x: string,
  { shift, scale, epsilon }: { shift: string; scale: string; epsilon: number },
): string {
  const { add, mul, scalar } = operationsOf(graph)
  const ones = graph.floats(new Float32Array(D).fill(1), [D])
  const normed = graph.node('LayerNormalization', [x, ones], { axis: -1, epsilon: { float: epsilon } })
  return add(mul(normed, add(scale, scalar(1))), shift)
}

function embeddedTimesteps(graph: GraphBuilder, config: DiTConfig, timesteps: string): string {
  const { concat, linear, mul, reshape, silu } = operationsOf(graph)
  const { hiddenSize: D, numTimesteps = 1000, timestepFrequencyShift = 0 } = config
  if (config.timestepEmbedding === 'table') {
    return rowsOfTable(graph, { name: 't_embedder.embedding_table.weight', rows: numTimesteps, width: D }, timesteps)
  }
  const half = TIMESTEP_FEATURES / 2
  const frequency = (_: unknown, i: number) => Math.exp((-Math.log(10000) * i) / (half - timestepFrequencyShift))
  const frequencies = graph.floats(Float32Array.from({ length: half }, frequency), [1, half])
  const angles = mul(reshape(timesteps, [-1, 1]), frequencies) // [B, 128]
  const features = concat([graph.node('Cos', [angles]), graph.node('Sin', [angles])], 1) // [B, 256]
  const hidden = silu(linear(features, 't_embedder.mlp.0', [D, TIMESTEP_FEATURES], null))
  return linear(hidden, 't_embedder.mlp.2', [D, D], null) // [B, D]
}

/**
 * Rows of a table, `[B, width]`. ONNX counts a negative index from the end, so that label -1 would be the null class without a word: here
 * -1 becomes -1 - rows, which `Gather` refuses. Not every engine checks what it gathers: the rows of wrong indices
 * are NaN besides.
 */
function rowsOfTable(
  graph: GraphBuilder,
  { name, rows, width }: { name: string; rows: number; width: number },
  indices: string,
): string {
  const { add, reshape, scalar } = operationsOf(graph)
  const [zero, count] = [graph.integers([0], []), graph.integers([rows], [])]
  const isNegative = graph.node('Less', [indices, zero])
  const isBeyond = graph.node('GreaterOrEqual', [indices, count])
  const checked = graph.node('Where', [isNegative, graph.node('Sub', [indices, count]), indices])
  const found = graph.node('Gather', [graph.parameter(name, [rows, width]), checked])
  const wrong = graph.node('Where', [graph.node('Or', [isNegative, isBeyond]), scalar(NaN), scalar(0)]) // [B]
  return add(found, reshape(wrong, [-1, 1]))
}

function latentSize({ inputSize, patchSize }: DiTConfig): readonly number[] {
  return tokenGrid(inputSize, patchSize).map((patches) => patches * patchSize)
}

function labelRows(config: DiTConfig): number {
  return nullLabel(config) === null ? config.numClasses : config.numClasses + 1
}

function guidedChannels({ inChannels }: DiTConfig, channels: number | 'all' = Math.min(GUIDED_CHANNELS, inChannels)) {
  if (channels === 'all') return inChannels
  if (!Number.isInteger(channels) || channels < 1 || channels > inChannels) {
    throw new RangeError(`denoiserGraph: channels must be an integer in 1..${inChannels} (got ${channels})`)
  }
  return channels
}
