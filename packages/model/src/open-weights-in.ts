import {
  type FileTree,
  findWeights,
  openIn,
  openTensorsIn,
  openTorch,
  readText,
  sniffSource,
  type TensorFile,
  WEIGHTS_FILES,
} from '@dit/checkpoint'
import type { DiTConfig } from './config.js'
import type { ConfigHints } from './layouts/infer-config.js'
import type { SavedArguments } from './layouts/program.js'
import { loadLayout } from './layouts/load-layout.js'
import type { ModelWeights } from './layouts/model-weights.js'
import type { ChooseOptions, WhichWeights } from './layouts/state-dict.js'

/** Weights of a DiT, open until they are closed. */
export interface OpenWeights extends ModelWeights {
  /** The file that was opened: the given one, or that found in the folder. */
  readonly path: string
  /** Which weights of a training state they are; null where the file does not say. */
  readonly which: WhichWeights | null
  /** What a `.pt` file holds and nobody reads: names of classes, such as `pathlib.PosixPath`. */
  readonly unread: readonly string[]
  /** Closes the files; harmless when repeated. Tensors that were read stay valid. */
  close(): Promise<void>
}

export interface OpenWeightsOptions {
  /** Which weights of a training state: by default the moving average where there is one. */
  readonly which?: WhichWeights
  /** The configuration, where it is known. */
  readonly config?: DiTConfig
  /** The weights in a `.pt` file by the name of their dict, with dots between names, where they lie in an unusual place. */
  readonly key?: string
}

/** Where weights are in a folder. */
export interface WeightsPlace {
  /** Of the file, within the folder. */
  readonly file: string
  /** What the `config.json` beside them says, parsed; null where there is none. */
  readonly config: unknown
}

/**
 * The file of weights in a folder: beside a `config.json`, or as `transformer` in the folder of a pipeline.
 *
 * @throws RangeError where the folder has none, or a `config.json` that is not JSON
 */
export async function locateWeightsIn(tree: FileTree): Promise<WeightsPlace> {
  const isPipeline = (await readText(tree, 'model_index.json', MAX_INDEX_BYTES)) !== null
  const folder = isPipeline ? 'transformer/' : ''
  const file = await findWeights(tree, folder)
  if (file !== null) return { file, config: await readConfig(tree, `${folder}config.json`) }
  throw new RangeError(
    `openWeights: ${tree.place(folder)} must have weights, such as ${WEIGHTS_FILES[0]} (it has none of ${WEIGHTS_FILES.length} known names)`,
  )
}

/** Largest `model_index.json` that is read: that of a pipeline names its classes. */
const MAX_INDEX_BYTES = 2 ** 24

async function readConfig(tree: FileTree, path: string): Promise<unknown> {
  const text = await readText(tree, path)
  if (text === null) return null
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new RangeError(`openWeights: ${tree.place(path)} must be JSON`, { cause })
  }
}

/**
 * Opens weights of a DiT in a folder, whoever wrote them: a `.pt` or `.safetensors` file or the index of a file in shards by its path; or
 * whichever the folder has, with diffusers' `config.json`, by itself or as `transformer` in a pipeline's folder. What a file is, its content
 * says.
 *
 * @param path of a file, or null for the weights that the folder has
 * @throws LayoutError and RangeError as `readLayout` does, TorchError and SafetensorsError where a file is damaged or hostile
 */
export async function openWeightsIn(
  tree: FileTree,
  path: string | null,
  { which: wanted, config, key }: OpenWeightsOptions = {},
): Promise<OpenWeights> {
  const place = path === null ? await locateWeightsIn(tree) : { file: path, config: null }
  const opened = await openFile(tree, place.file, { which: wanted, key })
  try {
    const { which, hints, saved, unread, close } = opened
    const known = { ...(config === undefined ? {} : { config }), hints, saved }
    const options = place.config === null ? known : { ...known, diffusersConfig: place.config }
    const weights = await loadLayout(opened.file, options)
    // Loading compares them again.
    if (tree.isByRange !== true) await checkTied(weights)
    return { ...weights, path: tree.place(place.file), which, unread, close }
  } catch (error) {
    await opened.close()
    throw error
  }
}

/**
 * Compares the embedders of timesteps and labels, which diffusers keeps once for each block: they must be the same, and a file in which they
 * are not is known at once.
 *
 * @throws RangeError where they differ
 */
export async function checkTied(weights: ModelWeights): Promise<void> {
  if (weights.layout !== 'diffusers') return
  for (const name of weights.entries.keys()) if (/^[ty]_embedder\./.test(name)) await weights.tensor(name)
}

interface OpenedFile {
  readonly file: TensorFile
  readonly which: WhichWeights | null
  readonly hints: ConfigHints
  readonly saved: SavedArguments
  readonly unread: readonly string[]
  readonly close: () => Promise<void>
}

async function openFile(tree: FileTree, path: string, { which, key }: ChooseOptions): Promise<OpenedFile> {
  const torch = path.endsWith('.json') ? null : await openTorchIn(tree, path)
  if (torch !== null) {
    try {
      const { chooseStateDict } = await import('./layouts/state-dict.js')
      return { ...chooseStateDict(torch, { which, key }), unread: torch.placeholders, close: torch.close }
    } catch (error) {
      await torch.close()
      throw error
    }
  }
  if (key !== undefined) throw new RangeError(`openWeights: key is for .pt files, but ${tree.place(path)} is none`)
  if (which !== undefined) {
    throw new RangeError(
      `openWeights: ${tree.place(path)} must be a training state to have ${which} weights (it holds one set, and does not say which)`,
    )
  }
  const file = await openTensorsIn(tree, path)
  return { file, which: null, hints: {}, saved: new Map(), unread: [], close: () => file.close() }
}

/** A file that torch saved, or null for another. */
async function openTorchIn(tree: FileTree, path: string) {
  const source = await openIn(tree, path)
  const close = async () => source.close?.()
  let isKept = false
  try {
    if ((await sniffSource(source)) !== 'torch') return null
    const file = await openTorch(source)
    isKept = true
    return { ...file, close }
  } finally {
    if (!isKept) await close()
  }
}
