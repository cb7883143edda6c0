import { dirname, join } from 'node:path'
import { type OpenShards, openShards, type Shard } from '../shards/open.js'
import { torchTensors } from '../torch/state-dict.js'
import { openFileSource } from './file-source.js'
import { openSafetensorsFile } from './open-safetensors-file.js'
import { openTorchFile } from './open-torch-file.js'
import { sniffFile } from './sniff-file.js'

/**
 * Opens the tensors that an index such as `model.safetensors.index.json` spreads over the files beside it, safetensors or `.bin`.
 *
 * @throws ShardsError as `openShards` does, SafetensorsError and TorchError for the files; all are then closed again
 * @throws Error with a `code` from the operating system when a file cannot be opened
 */
export async function openShardsFile(path: string): Promise<OpenShards> {
  const index = await openFileSource(path)
  try {
    return await openShards(index, (name) => openShard(join(dirname(path), name)))
  } finally {
    await index.close()
  }
}

async function openShard(path: string): Promise<Shard> {
  if ((await sniffFile(path)) !== 'torch') return openSafetensorsFile(path)
  const file = await openTorchFile(path)
  const close = () => file.close()
  try {
    return { ...torchTensors(file), close }
  } catch (error) {
    await close()
    throw error
  }
}
