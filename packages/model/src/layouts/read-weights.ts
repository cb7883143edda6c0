import type { TensorFile } from '@dit/checkpoint'
import { isAdapterFile } from '../low-rank/adapter-file.js'
import { aboutFromMetadata, configFromMetadata } from './description.js'
import type { LayoutReaders, ModelWeights, ReadLayoutOptions, Undescribed } from './model-weights.js'
import { requireParameters } from './require-fit.js'
import { unwrapped } from './unwrap.js'

const ADAPTERS = 'weights: these are low-rank adapters (LoRA): open the weights that they adapt, with these as `lora`'

/** The name by which diffusers' layout is known. */
const OF_DIFFUSERS = 'pos_embed.proj.weight'

/** Names that tell a DiT, and its configuration. */
export const TELLING = [
  'x_embedder.proj.weight',
  'pos_embed',
  'y_embedder.embedding_table.weight',
  'blocks.0.mlp.fc1.weight',
  'final_layer.linear.weight',
]

/** Which reader a file needs: that of diffusers' names, that of files of other programs, or none where dit has written it. */
export function readerFor(file: TensorFile): keyof LayoutReaders | null {
  const { file: plain } = unwrapped(file)
  if (plain.entries.has(OF_DIFFUSERS)) return 'diffusers'
  if (configFromMetadata(plain) === null) return 'undescribed'
  const { program, process } = aboutFromMetadata(plain)
  return program !== null && process === null ? 'undescribed' : null
}

/**
 * Weights of a DiT under the official names, as `readLayout` says.
 *
 * @param readers of which `readerFor` names the one that must be there
 */
export function readWeights(
  file: TensorFile,
  options: ReadLayoutOptions,
  readers: Partial<LayoutReaders>,
): ModelWeights {
  if (isAdapterFile(file)) throw new RangeError(ADAPTERS)
  const { file: plain, taken, others } = unwrapped(file)
  const kind = readerFor(plain)
  if (kind !== 'diffusers' && !TELLING.some((name) => plain.entries.has(name))) {
    const names = [...file.entries.keys()]
    const first =
      names.length === 0 ? 'it has none' : `the first of ${names.length} is ${JSON.stringify(names[0].slice(0, 100))}`
    throw new RangeError(`weights: the names must be those of a DiT, official or diffusers' (${first})`)
  }
  const about = { ...aboutFromMetadata(plain), isDescribed: configFromMetadata(plain) !== null }
  const found = kind === null ? describedWeights(plain, options) : readers[kind]!(plain, options)
  const weights = { ...about, ...found }
  const { classNames, config } = weights
  if (classNames !== null && classNames.length !== config.numClasses) {
    throw new RangeError(
      `weights: the metadata dit.classes must have ${config.numClasses} names, one for each class (it has ${classNames.length})`,
    )
  }
  if (others.length === 0) return weights
  const one = `the network under ${taken}, of those that the file also has under ${others.join(' and ')}`
  return { ...weights, assumptions: [...weights.assumptions, one] }
}

/** Weights under the official names in a file that says their configuration. */
function describedWeights(file: TensorFile, { config = configFromMetadata(file)! }: ReadLayoutOptions): Undescribed {
  requireParameters(config, file)
  return { ...file, entries: file.entries, layout: 'reference', config, assumptions: [] }
}
