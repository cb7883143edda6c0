import type { StoredArray, StoredSpec, TensorFile } from '@dit/checkpoint'
import { normals, randomStream } from '@dit/random'
import { reference, scope, type Shape, sizeOf, tensor, toFloat32Array } from '@dit/tensor'
import { BLOCK_FIELDS, PUBLISHED_BLOCKS } from '../check-blocks.js'
import { type DiTConfig, outChannels } from '../config.js'
import { EMBEDDING_STD } from '../init-params.js'
import { parameterShapes } from '../parameter-shapes.js'
import { newPositions, type WithInputSizeOptions } from '../with-input-size.js'

export interface AdaptOptions extends WithInputSizeOptions {
  /** Of each class of the new network, the class whose label row it takes; null for a new one. Default: the same numbers. */
  readonly classes?: readonly (number | null)[]
  /**
   * What new label rows begin as: the `mean` of the old ones (default), which the network knows as a picture of no class in particular, or
   * `normal` draws of deviation 0.02, as in a fresh network.
   */
  readonly newRows?: 'mean' | 'normal'
  /** Of these draws (default 0). */
  readonly seed?: number
  /** Begin the final layer anew, as zeros: what its output means is another thing (default false). */
  readonly resetOutput?: boolean
}

/** Weights fitted to another network. */
export interface AdaptedWeights {
  /** Under the official names, in the shapes of the new network; each is made when it is read. */
  readonly weights: TensorFile
  /** Names of those that are not as they were. */
  readonly replaced: readonly string[]
}

/** Where new values come from. */
interface Setting extends AdaptOptions {
  readonly from: DiTConfig
  readonly to: DiTConfig
  readonly source: TensorFile
}

const LABELS = 'y_embedder.embedding_table.weight'

/**
 * The weights of a network as the beginning of another: with other classes, another input size, with or without channels for the
 * variance. Everything else must be the same.
 *
 * - label rows follow their classes; new ones are made, and the null row, for guidance, stays;
 * - positions are those of `withInputSize`;
 * - rows of the final layer that carry the variance are left out, or begin as zeros as in a fresh network: what the others mean stays.
 *
 * @param source weights of `from` under the official names
 * @throws RangeError that names the field which the weights fix, or says what is wrong with the classes
 *
 * @example
 * adaptWeights(weights, config, { ...config, numClasses: 3 }, { classes: [4, null, null] })
 */
export function adaptWeights(
  source: TensorFile,
  from: DiTConfig,
  to: DiTConfig,
  options: AdaptOptions = {},
): AdaptedWeights {
  checkSame(from, to)
  const classes = checkClasses(from, to, options.classes)
  const setting: Setting = { ...options, classes, from, to, source }
  const made = new Map<string, () => Promise<Float32Array>>()
  const isSameTable = classes.length === from.numClasses && classes.every((row, label) => row === label)
  if (!isSameTable || from.classDropout > 0 !== to.classDropout > 0) made.set(LABELS, () => labelRows(setting))
  if (String(from.inputSize) !== String(to.inputSize)) made.set('pos_embed', () => positions(setting))
  for (const [name, shape] of Object.entries(parameterShapes(to))) {
    if (!name.startsWith('final_layer.')) continue
    if (options.resetOutput === true) made.set(name, async () => new Float32Array(sizeOf(shape)))
    else if (name.startsWith('final_layer.linear.') && from.learnSigma !== to.learnSigma) {
      made.set(name, () => outputRows(setting, name, shape))
    }
  }
  return { weights: withMade(source, parameterShapes(to), made), replaced: [...made.keys()] }
}

/** Fields that the shapes or the meaning of weights fix. */
const FIXED = [
  'patchSize',
  'inChannels',
  'hiddenSize',
  'depth',
  'numHeads',
  'mlpRatio',
  'positions',
  'timestepEmbedding',
  'numTimesteps',
  'timestepFrequencyShift',
  'mlpNormEpsilon',
  ...BLOCK_FIELDS,
] as const

/** What an absent field means. */
const USUAL: Partial<DiTConfig> = {
  positions: 'sincos',
  timestepEmbedding: 'sinusoidal',
  numTimesteps: 1000,
  timestepFrequencyShift: 0,
  mlpNormEpsilon: 1e-6,
  ...PUBLISHED_BLOCKS,
}

const textOf = (value: DiTConfig[keyof DiTConfig]) =>
  typeof value === 'object' ? JSON.stringify(value) : String(value)

function checkSame(from: DiTConfig, to: DiTConfig): void {
  for (const name of FIXED) {
    const [was, is] = [from[name] ?? USUAL[name], to[name] ?? USUAL[name]]
    if (textOf(was) !== textOf(is)) {
      throw new RangeError(`adaptWeights: ${name} must stay ${textOf(was)}, as the weights have it (got ${textOf(is)})`)
    }
  }
}

function checkClasses(
  { numClasses: before }: DiTConfig,
  { numClasses }: DiTConfig,
  classes: AdaptOptions['classes'],
): readonly (number | null)[] {
  if (classes === undefined) {
    if (before !== numClasses) {
      throw new RangeError(
        `adaptWeights: classes must say which of the ${before} label rows each of the ${numClasses} classes takes`,
      )
    }
    return Array.from({ length: numClasses }, (_, label) => label)
  }
  if (classes.length !== numClasses) {
    throw new RangeError(`adaptWeights: classes must have ${numClasses} entries (got ${classes.length})`)
  }
  const wrong = classes.find((row) => row !== null && !(Number.isInteger(row) && row >= 0 && row < before))
  if (wrong === undefined) return classes
  throw new RangeError(`adaptWeights: classes must be null or 0..${before - 1} (got ${wrong})`)
}

async function labelRows({ source, from, to, classes = [], newRows = 'mean', seed = 0 }: Setting) {
  const table = await source.float32(LABELS)
  const { hiddenSize: D, numClasses } = from
  const row = (label: number) => table.subarray(label * D, (label + 1) * D)
  const mean = new Float32Array(D).map((_, i) => {
    let total = 0
    for (let label = 0; label < numClasses; label++) total += table[label * D + i]
    return total / numClasses
  })
  const fresh = (label: number) =>
    newRows === 'mean'
      ? mean
      : normals(randomStream(seed, 'init', LABELS, String(label)), D).map((draw) => EMBEDDING_STD * draw)
  const rows = classes.map((old, label) => (old === null ? fresh(label) : row(old)))
  // A network without a null class has not learned what no class is: the mean is nearest to it.
  if (to.classDropout > 0) rows.push(from.classDropout > 0 ? row(numClasses) : mean)
  const joined = new Float32Array(rows.length * D)
  rows.forEach((values, label) => joined.set(values, label * D))
  return joined
}

async function positions({ source, from, to, positions: how }: Setting): Promise<Float32Array> {
  const table = await source.float32('pos_embed')
  const backend = reference()
  const resized = scope(() =>
    newPositions(from, tensor(table, [1, table.length / from.hiddenSize, from.hiddenSize], { backend }), to, how),
  )
  try {
    return Float32Array.from(await toFloat32Array(resized))
  } finally {
    resized.dispose()
  }
}

/** Output rows are patches of pixels, the channels of each pixel one after the other: the prediction's, then the variance's. */
async function outputRows({ source, from, to }: Setting, name: string, shape: Shape): Promise<Float32Array> {
  const values = await source.float32(name)
  const [before, now] = [outChannels(from), outChannels(to)]
  const width = sizeOf(shape) / shape[0]
  const rows = new Float32Array(sizeOf(shape))
  for (let at = 0; at < shape[0]; at++) {
    const [pixel, channel] = [Math.floor(at / now), at % now]
    if (channel >= from.inChannels) continue
    const start = (pixel * before + channel) * width
    rows.set(values.subarray(start, start + width), at * width)
  }
  return rows
}

/** A file in which some tensors are made, and the others are those of a source. */
function withMade(
  source: TensorFile,
  shapes: Readonly<Record<string, Shape>>,
  made: ReadonlyMap<string, () => Promise<Float32Array>>,
): TensorFile {
  const entries = new Map<string, StoredSpec>()
  for (const [name, shape] of Object.entries(shapes)) {
    entries.set(name, made.has(name) ? { dtype: 'F32', shape } : source.entries.get(name)!)
  }
  const tensorOf = async (name: string): Promise<StoredArray> => {
    const make = made.get(name)
    return make === undefined ? source.tensor(name) : { dtype: 'F32', shape: shapes[name], data: await make() }
  }
  return {
    entries,
    tensor: tensorOf,
    float32: async (name) => made.get(name)?.() ?? source.float32(name),
  }
}
