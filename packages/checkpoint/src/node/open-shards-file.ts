import { dirname, join } from 'node:path'
import { openShards } from '../shards/open.js'
import type { TensorFile } from '../tensor-file.js'
import { torchTensors } from '../torch/state-dict.js'
import { openFileSource } from './file-source.js'
import { openSafetensorsFile } from './open-safetensors-file.js'
import { openTorchFile } from './open-torch-file.js'
import { sniffFile } from './sniff-file.js'

/** Tensors in several files on disk, open until they are closed. */
export interface OpenShardsFile extends TensorFile {
  /** Of the metadata of the files, what all have alike. */
  readonly metadata: Readonly<Record<string, string>>
  /** Closes the files; harmless when repeated. Tensors that were read stay valid. */
  close(): Promise<void>
}

/**
 * Opens the tensors that an index such as `model.safetensors.index.json` spreads over the files beside it, safetensors or `.bin`.
 *
 * @throws ShardsError as `openShards` does, SafetensorsError and TorchError for the files; all are then closed again
 * @throws Error with a `code` from the operating system when a file cannot be opened
 */
export async function openShardsFile(path: string): Promise<OpenShardsFile> {
  const closing: (() => Promise<void>)[] = []
  const close = async () => void (await Promise.all(closing.map((close) => close())))
  const index = await openFileSource(path)
  try {
    const file = await openShards(index, async (name) => {
      const shard = join(dirname(path), name)
      if ((await sniffFile(shard)) === 'torch') {
        const torch = await openTorchFile(shard)
        closing.push(() => torch.close())
        return torchTensors(torch)
      }
      const opened = await openSafetensorsFile(shard)
      closing.push(() => opened.close())
      return opened
    })
    return { ...file, close }
  } catch (error) {
    await close()
    throw error
  } finally {
    await index.close()
  }
}
