import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { folderTree } from '@dit/checkpoint/node'
import {
  locateWeightsIn,
  type OpenWeights,
  type OpenWeightsOptions,
  openWeightsIn,
  type WeightsPlace,
} from '../open-weights-in.js'

/**
 * Opens weights of a DiT on disk, whoever wrote them: a `.pt` or `.safetensors` file, the index of a file in shards, or a folder with one
 * of these and diffusers' `config.json`, by itself or as `transformer` in a pipeline's folder. What a file is, its content says.
 *
 *     const weights = await openWeights('DiT-XL-2-256x256.pt')
 *     const params = await loadParams(weights)
 *     await weights.close()
 *
 * @throws LayoutError and RangeError as `readLayout` does, TorchError and SafetensorsError where a file is damaged or hostile
 * @throws Error with a `code` from the operating system when a file cannot be opened
 */
export async function openWeights(path: string, options: OpenWeightsOptions = {}): Promise<OpenWeights> {
  if ((await stat(path)).isDirectory()) return openWeightsIn(folderTree(path), null, options)
  return openWeightsIn(folderTree(dirname(path)), basename(path), options)
}

/**
 * The file of weights that a path means: itself, or that in a folder as `openWeights` takes them.
 *
 * @throws RangeError where the folder has none, or a `config.json` that is not JSON
 * @throws Error with a `code` from the operating system when there is no such path
 */
export async function locateWeights(path: string): Promise<WeightsPlace> {
  if (!(await stat(path)).isDirectory()) return { file: path, config: null }
  const { file, config } = await locateWeightsIn(folderTree(path))
  return { file: join(path, file), config }
}
