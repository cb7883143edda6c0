import { sameShape, type Shape } from '@dit/tensor'
import { type DiTConfig, nullLabel } from '../config.js'
import { DIT_NAMES, ditConfig } from '../named-configs.js'
import { parameterShapes } from '../parameter-shapes.js'

/** A configuration read off the shapes of a checkpoint's tensors. */
export interface InferredConfig {
  readonly config: DiTConfig
  /** What the shapes do not tell, and what is taken for it. */
  readonly assumptions: readonly string[]
}

/** What is known beside the shapes, such as a training script's arguments. */
export interface ConfigHints {
  readonly numHeads?: number
  /** Without the null class. */
  readonly numClasses?: number
}

/** Width of an attention head where nothing else is known: that of nearly all published models. */
const HEAD_WIDTH = 64

/**
 * The DiT that has exactly tensors of these official names and shapes.
 *
 *     inferConfig(new Map(Object.entries(parameterShapes(ditConfig('DiT-S/2')))))?.config // ditConfig('DiT-S/2')
 *
 * @returns null where they are not those of a DiT
 */
export function inferConfig(shapes: ReadonlyMap<string, Shape>, hints: ConfigHints = {}): InferredConfig | null {
  const inferred = draftConfig(shapes, hints)
  if (inferred === null) return null
  try {
    const expected = Object.entries(parameterShapes(inferred.config))
    const fits = expected.every(([name, shape]) => shapes.has(name) && sameShape(shapes.get(name)!, shape))
    return fits && expected.length === shapes.size ? inferred : null
  } catch {
    return null
  }
}

/**
 * The configuration that a few telling shapes suggest, whether or not the others fit it.
 *
 * @param headDim width of an attention head, where a shape tells it
 * @returns null where one of them is missing
 */
export function draftConfig(
  shapes: ReadonlyMap<string, Shape>,
  hints: ConfigHints = {},
  headDim?: number,
): InferredConfig | null {
  const [hiddenSize, inChannels, patchSize] = shapes.get('x_embedder.proj.weight') ?? []
  const [, tokens] = shapes.get('pos_embed') ?? []
  const [labelRows] = shapes.get('y_embedder.embedding_table.weight') ?? []
  const [mlpWidth] = shapes.get('blocks.0.mlp.fc1.weight') ?? []
  const [patchOut] = shapes.get('final_layer.linear.weight') ?? []
  const timesteps = shapes.get('t_embedder.embedding_table.weight')?.[0]
  const needed = [hiddenSize, inChannels, patchSize, tokens, labelRows, mlpWidth, patchOut]
  if (needed.some((size) => size === undefined || size < 1)) return null
  const depth = countBlocks(shapes.keys())
  const told = headDim !== undefined && hiddenSize % headDim === 0 ? hiddenSize / headDim : undefined
  const knownHeads = hints.numHeads ?? told
  const { numHeads, source } = headsOf({ hiddenSize, depth, patchSize }, knownHeads)
  const hasNullClass = hints.numClasses === undefined ? labelRows > 1 : labelRows === hints.numClasses + 1
  const config: DiTConfig = {
    inputSize: Math.round(Math.sqrt(tokens)) * patchSize,
    patchSize,
    inChannels,
    hiddenSize,
    depth,
    numHeads,
    mlpRatio: mlpWidth / hiddenSize,
    numClasses: hasNullClass ? labelRows - 1 : labelRows,
    classDropout: hasNullClass ? 0.1 : 0,
    learnSigma: patchOut === 2 * inChannels * patchSize ** 2,
    ...(timesteps === undefined ? {} : { timestepEmbedding: 'table', numTimesteps: timesteps }),
  }
  const classes = `${config.numClasses} classes${nullLabel(config) === null ? '' : ' and a null class'}`
  const assumptions = [
    ...(knownHeads === undefined ? [`${numHeads} attention heads${source}`] : []),
    ...(hints.numClasses === undefined ? [classes] : []),
    'a fixed position table',
    'a square input',
  ]
  return { config, assumptions }
}

/** Consecutive block numbers from 0 that occur; a name cannot make it larger than the number of names. */
export function countBlocks(names: Iterable<string>): number {
  const found = new Set<number>()
  for (const name of names) {
    const digits = /^blocks\.(\d{1,6})\./.exec(name)?.[1]
    if (digits !== undefined) found.add(Number(digits))
  }
  let depth = 0
  while (found.has(depth)) depth++
  return depth
}

/** Attention heads of a named model of this size, or of width 64 where that is possible: the shapes do not tell. */
export function headsOf(
  { hiddenSize, depth, patchSize }: Pick<DiTConfig, 'hiddenSize' | 'depth' | 'patchSize'>,
  known?: number,
): { numHeads: number; source: string } {
  if (known !== undefined) return { numHeads: known, source: '' }
  const named = DIT_NAMES.map((name) => ditConfig(name)).find(
    (config) => config.hiddenSize === hiddenSize && config.depth === depth && config.patchSize === patchSize,
  )
  if (named !== undefined) return { numHeads: named.numHeads, source: ', as in the named model of this size' }
  const numHeads = hiddenSize % HEAD_WIDTH === 0 ? hiddenSize / HEAD_WIDTH : 1
  return { numHeads, source: ' (a file does not say)' }
}
