import { requireByteSource, type ByteSource } from '../byte-source.js'
import type { StoredArray, StoredSpec } from '../dtype.js'
import { quote } from '../quote.js'
import { float32Reader, type TensorFile } from '../tensor-file.js'
import { failFor, readShardsIndex } from './index-file.js'

/** A file of several that tensors are spread over. */
export interface Shard extends TensorFile {
  close?(): Promise<void>
}

/** Tensors in several files, open until they are closed. */
export interface OpenShards extends TensorFile {
  /** Of the metadata of the files, what all have alike. */
  readonly metadata: Readonly<Record<string, string>>
  /** Closes the files. Tensors that were read stay valid. */
  close(): Promise<void>
}

/**
 * Opens tensors that are spread over several files, by their index (`model.safetensors.index.json`, `pytorch_model.bin.index.json`).
 *
 *     const file = await openShards(indexSource, async (name) => openSafetensors(await sourceOf(name)))
 *
 * @param index     the JSON text
 * @param openShard opens the file of that name, which is a plain one without folders
 * @throws ShardsError where the index is none, or a file does not have just the tensors that the index places there; the files are
 *   then closed again
 */
export async function openShards(index: ByteSource, openShard: (name: string) => Promise<Shard>): Promise<OpenShards> {
  requireByteSource('openShards', index)
  const fail = failFor(index.name)
  const { fileOf, files } = await readShardsIndex(index)
  const shards = new Map<string, Shard>()
  const close = async () => void (await Promise.all([...shards.values()].map(async (shard) => shard.close?.())))
  try {
    for (const file of files) shards.set(file, await openShard(file))
    const entries = entriesOf(shards, fileOf, fail)
    const tensor = async (name: string): Promise<StoredArray> => {
      const file = fileOf.get(name)
      if (file === undefined) throw fail(`there is no tensor ${quote(name)} among the ${entries.size}`)
      return shards.get(file)!.tensor(name)
    }
    const metadata = sharedMetadata([...shards.values()])
    return { entries, metadata, tensor, float32: float32Reader({ entries, tensor }), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The entries of all files, in the order of the index. */
function entriesOf(
  shards: ReadonlyMap<string, Shard>,
  fileOf: ReadonlyMap<string, string>,
  fail: (problem: string) => Error,
): ReadonlyMap<string, StoredSpec> {
  const entries = new Map<string, StoredSpec>()
  for (const [name, file] of fileOf) {
    const entry = shards.get(file)!.entries.get(name)
    if (entry === undefined) throw fail(`tensor ${quote(name)} must be in ${quote(file)}`)
    entries.set(name, entry)
  }
  for (const [file, shard] of shards) {
    const stray = [...shard.entries.keys()].find((name) => fileOf.get(name) !== file)
    if (stray !== undefined) throw fail(`tensor ${quote(stray)} of ${quote(file)} must be in the index`)
  }
  return entries
}

/** The strings that all files have alike. */
function sharedMetadata(shards: readonly Shard[]): Readonly<Record<string, string>> {
  const [first, ...others] = shards.map(({ metadata = {} }) => new Map(Object.entries(metadata)))
  const shared = [...(first ?? [])].filter(([key, value]) => others.every((each) => each.get(key) === value))
  return Object.fromEntries(shared)
}
