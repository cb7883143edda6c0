import type { OpenTensorFile } from '../open-tensors.js'
import { openOneFile } from './open-one-file.js'
import { openShardsFile } from './open-shards-file.js'

/**
 * Opens named tensors on disk: safetensors, a state dict that torch saved, or the index (`.json`) of a file in shards.
 *
 * @throws SafetensorsError, TorchError or ShardsError on anything that the format does not allow; the files are then closed again
 * @throws Error with a `code` from the operating system when a file cannot be opened
 */
export async function openTensorFile(path: string): Promise<OpenTensorFile> {
  return path.endsWith('.json') ? openShardsFile(path) : openOneFile(path)
}
