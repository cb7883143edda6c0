import { openShards, type TensorFile } from '@dit/checkpoint'
import type { RunStore } from '../run/run-store.js'
import { shardsIndexFile, tensorFile, type TensorPart } from './names.js'

/** Tensors of a part of a checkpoint, open until they are closed. */
export interface OpenPart extends TensorFile {
  close(): Promise<void>
}

/**
 * File with a part's tensors within a checkpoint's folder: one of safetensors, or the index of its shards.
 *
 * @param path folder of the checkpoint in the store
 */
export async function partFile(store: RunStore, path: string, part: TensorPart): Promise<string> {
  const index = shardsIndexFile(part)
  return (await store.list(path)).includes(index) ? index : tensorFile(part)
}

/** Opens a part's tensors, whoever wrote them: rank 0 into one file, or every rank its own. */
export async function openPart(store: RunStore, path: string, part: TensorPart): Promise<OpenPart> {
  const name = await partFile(store, path, part)
  if (name === tensorFile(part)) return store.openTensors(`${path}/${name}`)
  const bytes = (await store.read(`${path}/${name}`))!
  const index = { name, size: bytes.length, read: async (start: number, end: number) => bytes.slice(start, end) }
  return openShards(index, (shard) => store.openTensors(`${path}/${shard}`))
}
