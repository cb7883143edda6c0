import { dirname, join } from 'node:path'
import { type OpenShards, openShards } from '../shards/open.js'
import { openFileSource } from './file-source.js'
import { openOneFile } from './open-one-file.js'

/**
 * Opens the tensors that an index such as `model.safetensors.index.json` spreads over the files beside it, safetensors or `.bin`.
 *
 * @throws ShardsError as `openShards` does, SafetensorsError and TorchError for the files; all are then closed again
 * @throws Error with a `code` from the operating system when a file cannot be opened
 */
export async function openShardsFile(path: string): Promise<OpenShards> {
  const index = await openFileSource(path)
  try {
    return await openShards(index, (name) => openOneFile(join(dirname(path), name)))
  } finally {
    await index.close()
  }
}
