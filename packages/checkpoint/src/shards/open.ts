import { requireByteSource, type ByteSource } from '../byte-source.js'
import type { StoredArray, StoredSpec } from '../dtype.js'
import { quote } from '../quote.js'
import { float32Reader, type TensorFile } from '../tensor-file.js'
import { failFor, readShardsIndex } from './index-file.js'

/**
 * Opens tensors that are spread over several files, by their index (`model.safetensors.index.json`, `pytorch_model.bin.index.json`).
 *
 *     const file = await openShards(indexSource, async (name) => openSafetensors(await sourceOf(name)))
 *
 * @param index     the JSON text
 * @param openShard opens the file of that name, which is a plain one without folders
 * @returns the tensors, and of the metadata of the files what all have alike
 * @throws ShardsError where the index is none, or a file does not have just the tensors that the index places there
 */
export async function openShards(
  index: ByteSource,
  openShard: (name: string) => Promise<TensorFile & WithMetadata>,
): Promise<TensorFile & Required<WithMetadata>> {
  requireByteSource('openShards', index)
  const fail = failFor(index.name)
  const { fileOf, files } = await readShardsIndex(index)
  const shards = new Map<string, TensorFile & WithMetadata>()
  for (const file of files) shards.set(file, await openShard(file))

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

  async function tensor(name: string): Promise<StoredArray> {
    const file = fileOf.get(name)
    if (file === undefined) throw fail(`there is no tensor ${quote(name)} among the ${entries.size}`)
    return shards.get(file)!.tensor(name)
  }
  const metadata = sharedMetadata([...shards.values()])
  return { entries, metadata, tensor, float32: float32Reader({ entries, tensor }) }
}

interface WithMetadata {
  readonly metadata?: Readonly<Record<string, string>>
}

/** The strings that all files have alike. */
function sharedMetadata(shards: readonly WithMetadata[]): Readonly<Record<string, string>> {
  const [first, ...others] = shards.map(({ metadata = {} }) => new Map(Object.entries(metadata)))
  const shared = [...(first ?? [])].filter(([key, value]) => others.every((each) => each.get(key) === value))
  return Object.fromEntries(shared)
}
