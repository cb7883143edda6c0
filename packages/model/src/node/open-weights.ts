import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { TensorFile } from '@dit/checkpoint'
import {
  findWeightsFile,
  openSafetensorsFile,
  openShardsFile,
  openTorchFile,
  sniffFile,
  WEIGHTS_FILES,
} from '@dit/checkpoint/node'
import type { DiTConfig } from '../config.js'
import { type ModelWeights, readLayout } from '../layouts/read-layout.js'
import type { ConfigHints } from '../layouts/infer-config.js'
import type { SavedArguments } from '../layouts/program.js'
import { chooseStateDict, type WhichWeights } from '../layouts/state-dict.js'

/** Weights of a DiT on disk, open until they are closed. */
export interface OpenWeights extends ModelWeights {
  /** The file that was opened: the given one, or that found in the folder. */
  readonly path: string
  /** Which weights of a training state they are; null where the file does not say. */
  readonly which: WhichWeights | null
  /** Closes the files; harmless when repeated. Tensors that were read stay valid. */
  close(): Promise<void>
}

export interface OpenWeightsOptions {
  /** Which weights of a training state: by default the moving average where there is one. */
  readonly which?: WhichWeights
  /** The configuration, where it is known. */
  readonly config?: DiTConfig
}

/** Largest `config.json` that is read, in bytes. */
const MAX_CONFIG_BYTES = 2 ** 20

/**
 * Opens weights of a DiT, whoever wrote them: a `.pt` or `.safetensors` file, the index of a file in shards, or a folder with one of
 * these and diffusers' `config.json`, by itself or as `transformer` in a pipeline's folder. What a file is, its content says.
 *
 *     const weights = await openWeights('DiT-XL-2-256x256.pt')
 *     const params = await loadParams(weights)
 *     await weights.close()
 *
 * @throws LayoutError and RangeError as `readLayout` does, TorchError and SafetensorsError where a file is damaged or hostile
 * @throws Error with a `code` from the operating system when a file cannot be opened
 */
export async function openWeights(
  path: string,
  { which: wanted, config }: OpenWeightsOptions = {},
): Promise<OpenWeights> {
  const place = await locateWeights(path)
  const opened = await openFile(place.file, wanted)
  try {
    const { which, hints, saved, close } = opened
    const known = { ...(config === undefined ? {} : { config }), hints, saved }
    const options = place.config === null ? known : { ...known, diffusersConfig: place.config }
    return { ...readLayout(opened.file, options), path: place.file, which, close }
  } catch (error) {
    await opened.close()
    throw error
  }
}

/** Where weights are. */
export interface WeightsPlace {
  readonly file: string
  /** What the `config.json` beside them says, parsed; null where there is none. */
  readonly config: unknown
}

/**
 * The file of weights that a path means: itself, or that in a folder as `openWeights` takes them.
 *
 * @throws RangeError where the folder has none, or a `config.json` that is not JSON
 * @throws Error with a `code` from the operating system when there is no such path
 */
export async function locateWeights(path: string): Promise<WeightsPlace> {
  if (!(await stat(path)).isDirectory()) return { file: path, config: null }
  const inner = join(path, 'transformer')
  const folder = (await isFile(join(path, 'model_index.json'))) ? inner : path
  const file = await findWeightsFile(folder)
  if (file !== null) return { file, config: await readConfig(join(folder, 'config.json')) }
  throw new RangeError(
    `openWeights: ${folder} must have weights, such as ${WEIGHTS_FILES[0]} (it has none of ${WEIGHTS_FILES.length} known names)`,
  )
}

async function readConfig(path: string): Promise<unknown> {
  const found = await stat(path).catch(() => null)
  if (found === null) return null
  if (found.size > MAX_CONFIG_BYTES)
    throw new RangeError(`openWeights: ${path} must be at most ${MAX_CONFIG_BYTES} bytes (${found.size})`)
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown
  } catch (cause) {
    throw new RangeError(`openWeights: ${path} must be JSON`, { cause })
  }
}

interface OpenedFile {
  readonly file: TensorFile
  readonly which: WhichWeights | null
  readonly hints: ConfigHints
  readonly saved: SavedArguments
  readonly close: () => Promise<void>
}

async function openFile(path: string, which: WhichWeights | undefined): Promise<OpenedFile> {
  if ((await sniffFile(path)) === 'torch') {
    const torch = await openTorchFile(path)
    try {
      return { ...chooseStateDict(torch, which), close: () => torch.close() }
    } catch (error) {
      await torch.close()
      throw error
    }
  }
  if (which !== undefined) {
    throw new RangeError(
      `openWeights: ${path} must be a training state to have ${which} weights (it holds one set, and does not say which)`,
    )
  }
  const file = path.endsWith('.json') ? await openShardsFile(path) : await openSafetensorsFile(path)
  return { file, which: null, hints: {}, saved: new Map(), close: () => file.close() }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false
}
