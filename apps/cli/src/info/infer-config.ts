import { type DiTConfig, DIT_NAMES, ditConfig, parameterShapes } from '@dit/model'
import { sameShape, type Shape } from '@dit/tensor'

/** A configuration read off the shapes of a checkpoint's tensors. */
export interface InferredConfig {
  readonly config: DiTConfig
  /** What the shapes do not tell, and what is taken for it. */
  readonly assumptions: readonly string[]
}

/** Width of an attention head where nothing else is known: that of nearly all published models. */
const HEAD_WIDTH = 64

/**
 * The DiT that has exactly tensors of these names and shapes.
 *
 * @returns null where they are not those of a DiT
 */
export function inferConfig(shapes: ReadonlyMap<string, Shape>): InferredConfig | null {
  const draft = readShapes(shapes)
  if (draft === null) return null
  const named = DIT_NAMES.map((name) => ditConfig(name)).find(
    ({ hiddenSize, depth, patchSize }) =>
      hiddenSize === draft.hiddenSize && depth === draft.depth && patchSize === draft.patchSize,
  )
  const numHeads = named?.numHeads ?? (draft.hiddenSize % HEAD_WIDTH === 0 ? draft.hiddenSize / HEAD_WIDTH : 1)
  const config = { ...draft, numHeads }
  try {
    const expected = Object.entries(parameterShapes(config))
    const fits = expected.every(([name, shape]) => shapes.has(name) && sameShape(shapes.get(name)!, shape))
    if (!fits || expected.length !== shapes.size) return null
  } catch {
    return null
  }
  const heads =
    named === undefined
      ? `${numHeads} attention heads (a file does not say; it changes the memory estimate alone)`
      : `${numHeads} attention heads, as in the named model of this size`
  const assumptions = [
    heads,
    `${config.numClasses} classes and a null class`,
    'a fixed position table',
    'a square input',
  ]
  return { config, assumptions }
}

function readShapes(shapes: ReadonlyMap<string, Shape>): Omit<DiTConfig, 'numHeads'> | null {
  const [hiddenSize, inChannels, patchSize] = shapes.get('x_embedder.proj.weight') ?? []
  const [, tokens] = shapes.get('pos_embed') ?? []
  const [labelRows] = shapes.get('y_embedder.embedding_table.weight') ?? []
  const [mlpWidth] = shapes.get('blocks.0.mlp.fc1.weight') ?? []
  const [patchOut] = shapes.get('final_layer.linear.weight') ?? []
  const timesteps = shapes.get('t_embedder.embedding_table.weight')?.[0]
  const needed = [hiddenSize, inChannels, patchSize, tokens, labelRows, mlpWidth, patchOut]
  if (needed.some((size) => size === undefined || size < 1)) return null
  const blocks = [...shapes.keys()].map((name) => Number(/^blocks\.(\d+)\./.exec(name)?.[1] ?? -1))
  return {
    inputSize: Math.round(Math.sqrt(tokens)) * patchSize,
    patchSize,
    inChannels,
    hiddenSize,
    depth: Math.max(...blocks) + 1,
    mlpRatio: mlpWidth / hiddenSize,
    numClasses: Math.max(1, labelRows - 1),
    classDropout: labelRows > 1 ? 0.1 : 0,
    learnSigma: patchOut === 2 * inChannels * patchSize ** 2,
    ...(timesteps === undefined ? {} : { timestepEmbedding: 'table', numTimesteps: timesteps }),
  }
}
