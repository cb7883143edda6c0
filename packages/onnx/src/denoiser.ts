import { checkConfig, type DiTConfig, forward, outChannels, parameterShapes, type ParameterSource } from '@dit/model'
import type { Block } from '@dit/model/blocks'
import { scope } from '@dit/tensor'
import { tokenGrid } from '@dit/tokenizer'
import { tracedConditions } from './embed-told.js'
import { AmbiguousExtent, GraphBuilder, isSameGraph, type OnnxGraph } from './graph.js'
import { operationsOf } from './operations.js'
import { guidanceFeatures, timestepFeatures, timestepRows } from './timesteps.js'
import { type AllTold, toldInputs, withNulls } from './told-inputs.js'
import { tracing } from './tracing/values.js'

export interface DenoiserOptions {
  /**
   * Puts classifier-free guidance into the graph: it then has the input `guidance_scale` and runs the network on a doubled
   * batch. Not by default.
   */
  readonly guidance?: {
    /** The label that stands for no class; that of the configuration by default. Not of a network that has conditions. */
    readonly nullLabel?: number
    /** How many of the first latent channels are guided: 3 by default, as in the DiT code, or fewer where there are. */
    readonly channels?: number | 'all'
  }
  /** Blocks of your own, in place of those that the configuration names. */
  readonly block?: Block | undefined
}

/** As in the reference implementation of DiT, where the fourth of the four latent channels stays unguided. */
const GUIDED_CHANNELS = 3

/** Numbers in place of the batch, primes: a graph is right if it comes out the same for two of them. */
const BATCHES = [1009, 2003, 4001, 8009]

/**
 * The graph of a Diffusion Transformer: what `forward` of @dit/model does, written down as it runs.
 *
 * - inputs: `xt` float `[batch, C, H, W]`, `timesteps` float `[batch]` (int64 with a timestep table), `labels` int64 `[batch]`,
 *   and with guidance `guidance_scale`, a float scalar; of a network with a `guidanceRange` `guidance`, float `[batch]`
 * - inputs in place of `labels` where the network has conditions: for each its name, of a label int64 `[batch]`, where the number of classes
 *   is null; of a vector float `[batch, size]`; of tokens float `[batch, most, size]`, and `<name>.length` int64 `[batch]`; of vectors and
 *   tokens that can be dropped also `<name>.null` int64 `[batch]`, 1 for null and else 0
 * - output: `output`, float `[batch, C_out, H, W]`, as `forward` of @dit/model, or as `guided` of @dit/sampler around it; with conditions
 *   guidance leads away from the null of all of them
 *
 * Features of timesteps are computed in float32 there, which costs up to 1e-4 of a feature near timestep 1000.
 *
 * A label that is no row of the table, -1 too, is an error of the runtime; where a runtime does not check `Gather`, the output of its
 * example is NaN. So it is for a length that is not in 0 .. most.
 *
 * Scales outside of a `guidanceRange` are not refused there: the network has not learned them.
 *
 * @throws RangeError when guidance is asked of a model that takes its scale as an input, or one without a null class, or of a condition that has no null, or of channels that there
 *   are not
 * @throws RangeError or TypeError for a configuration that cannot be
 * @throws RangeError for a condition that is called as another input, and for a block of your own that mixes or counts examples
 */
export function denoiserGraph(config: DiTConfig, options: DenoiserOptions = {}): OnnxGraph {
  checkConfig(config)
  const graphs: OnnxGraph[] = []
  let problem = new RangeError('denoiserGraph: what a block computes must not depend on the number of examples')
  for (const batch of BATCHES) {
    try {
      const graph = graphFor(config, options, batch)
      if (graphs.some((other) => isSameGraph(graph, other))) return graph
      graphs.push(graph)
    } catch (error) {
      if (!(error instanceof AmbiguousExtent)) throw error
      problem = error
    }
  }
  throw problem
}

function graphFor(config: DiTConfig, { guidance, block }: DenoiserOptions, batch: number): OnnxGraph {
  const graph = new GraphBuilder()
  const { add, concat, halves, mul } = operationsOf(graph)
  const [H, W] = latentSize(config)
  const shape = ['batch', config.inChannels, H, W]
  const xt = graph.input('xt', 'float', shape)
  const timesteps = graph.input('timesteps', config.timestepEmbedding === 'table' ? 'int64' : 'float', ['batch'])
  const told = toldInputs(graph, config)
  const outputShape = ['batch', outChannels(config), H, W]
  const { guidanceRange } = config
  const scales = guidanceRange === undefined ? null : graph.input('guidance', 'float', ['batch'])
  if (scales !== null && guidance !== undefined) {
    throw new RangeError('denoiserGraph: the network takes the scale of guidance as an input, so leave guidance out')
  }
  const run = (inputs: Omit<Inputs, 'scales'>) => network(graph, config, { ...inputs, scales }, { batch, block })
  if (guidance === undefined) {
    graph.output('output', run({ xt, timesteps, told }), outputShape)
    return graph.finish('denoiser')
  }
  const channels = guidedChannels(config, guidance.channels)
  const scale = graph.input('guidance_scale', 'float', [])
  const both = {
    xt: concat([xt, xt], 0),
    timesteps: concat([timesteps, timesteps], 0),
    told: withNulls(graph, config, told, guidance.nullLabel),
  }
  const [conditional, unconditional] = halves(run(both), 0)
  const rest = outChannels(config) - channels
  const cut = (x: string) =>
    rest === 0 ? [x] : graph.split('Split', [x, graph.integers([channels, rest])], 2, { axis: 1 })
  const [towards, ...unguided] = cut(conditional)
  const [from] = cut(unconditional)
  const guided = add(from, mul(scale, graph.node('Sub', [towards, from])))
  graph.output('output', rest === 0 ? guided : concat([guided, ...unguided], 1), outputShape)
  return graph.finish('guided_denoiser')
}

/** Values of the graph that a network reads. */
interface Inputs {
  readonly xt: string
  readonly timesteps: string
  readonly told: AllTold
  /** Of guidance, where they are an input. */
  readonly scales: string | null
}

/** Runs `forward` on tensors whose values are those of the graph, and gives the one of its output. */
function network(
  graph: GraphBuilder,
  config: DiTConfig,
  inputs: Inputs,
  { batch, block }: { readonly batch: number; readonly block: Block | undefined },
): string {
  const traced = tracing(graph, batch, inputs.xt)
  const params: ParameterSource = {
    backend: traced.backend,
    shapes: parameterShapes(config, block),
    load: (name) => traced.tensor(graph.parameter(name, params.shapes[name]), params.shapes[name]),
    dispose() {},
  }
  const isTable = config.timestepEmbedding === 'table'
  return scope(() => {
    const output = forward(
      config,
      params,
      {
        xt: traced.tensor(inputs.xt, [batch, config.inChannels, ...latentSize(config)]),
        // These are of the host, so that they are stand-ins: the trace puts values of the graph in the place of what is made of them.
        timesteps: new Int32Array(batch),
        labels: config.conditions === undefined ? new Int32Array(batch) : undefined,
        conditions: tracedConditions(traced, inputs.told, batch),
        guidance:
          config.guidanceRange === undefined ? undefined : new Float32Array(batch).fill(config.guidanceRange[0]),
      },
      {
        block,
        trace(name, value) {
          if (name === 't_freq') traced.write(value, timestepFeatures(graph, config, inputs.timesteps))
          if (name === 'w_freq') traced.write(value, guidanceFeatures(graph, config.guidanceRange!, inputs.scales!))
          if (name === 't_emb' && isTable) traced.write(value, timestepRows(graph, config, inputs.timesteps))
        },
      },
    )
    return traced.read(output)
  })
}

function latentSize({ inputSize, patchSize }: DiTConfig): readonly number[] {
  return tokenGrid(inputSize, patchSize).map((patches) => patches * patchSize)
}

function guidedChannels({ inChannels }: DiTConfig, channels: number | 'all' = Math.min(GUIDED_CHANNELS, inChannels)) {
  if (channels === 'all') return inChannels
  if (!Number.isInteger(channels) || channels < 1 || channels > inChannels) {
    throw new RangeError(`denoiserGraph: channels must be an integer in 1..${inChannels} (got ${channels})`)
  }
  return channels
}
