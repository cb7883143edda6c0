import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { arrayBytes, requireSpec } from '../dtype.js'
import { quote } from '../quote.js'
import { type NamedTensors, namedList } from '../safetensors/layout.js'
import type { TensorToWrite } from './tensor-to-write.js'
import { type WriteFileOptions, writeSafetensorsFile } from './write-safetensors-file.js'
import { writeWholeFile, type WrittenFile } from './write-whole-file.js'

/** A file of several that were written. */
export interface WrittenShard extends WrittenFile {
  readonly path: string
}

/** Options of `writeShards`. */
export interface WriteShardsOptions extends WriteFileOptions {
  /** Bytes of tensors in a file at most; a larger tensor has a file of its own. */
  readonly maxBytes: number
}

/**
 * Writes tensors to safetensors files of a limited size, with an index, under the names that diffusers and transformers use:
 * `model.safetensors` becomes `model-00001-of-00003.safetensors`, ..., and `model.safetensors.index.json`. Where one file is
 * enough, it is `model.safetensors`, without an index. The tensors are in the given order, each file taking as many as fit.
 *
 * The index is written last; until then a reader does not find the others. Each file has the metadata.
 *
 * @param path as if there were one file, `<name>.safetensors`
 * @returns the files of tensors in order, the index not among them
 * @throws RangeError where `path` does not end so, or `maxBytes` is no positive integer; else as `writeSafetensorsFile`, and what was
 *   written is removed
 */
export async function writeShards(
  path: string,
  tensors: NamedTensors<TensorToWrite>,
  { maxBytes, ...options }: WriteShardsOptions,
): Promise<WrittenShard[]> {
  if (!path.endsWith('.safetensors')) throw new RangeError(`writeShards: path must end in .safetensors (${path})`)
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
    throw new RangeError(`writeShards: maxBytes must be a positive integer (got ${maxBytes})`)
  }
  const shards = split(namedList(tensors), maxBytes)
  if (shards.length < 2) return [{ path, ...(await writeSafetensorsFile(path, tensors, options)) }]
  const base = path.slice(0, -'.safetensors'.length)
  const number = (i: number) => String(i).padStart(5, '0')
  const written: WrittenShard[] = []
  const weightMap: Record<string, string> = Object.create(null) as Record<string, string>
  try {
    for (const [i, shard] of shards.entries()) {
      const file = `${base}-${number(i + 1)}-of-${number(shards.length)}.safetensors`
      written.push({ path: file, ...(await writeSafetensorsFile(file, new Map(shard), options)) })
      for (const [name] of shard) weightMap[name] = basename(file)
    }
    const total = shards.flat().reduce((bytes, [, spec]) => bytes + arrayBytes(spec)!, 0)
    const index = JSON.stringify({ metadata: { total_size: total }, weight_map: weightMap }, null, 2)
    await writeWholeFile(`${path}.index.json`, options.sync ?? false, (append) =>
      append(new TextEncoder().encode(`${index}\n`)),
    )
    return written
  } catch (error) {
    await Promise.all(written.map((shard) => rm(shard.path, { force: true })))
    throw error
  }
}

type Named = readonly (readonly [string, TensorToWrite])[]

function split(named: Named, maxBytes: number): Named[] {
  const shards: (readonly [string, TensorToWrite])[][] = []
  let room = 0
  for (const [name, tensor] of named) {
    requireSpec(`writeShards: tensor ${quote(name)}`, tensor)
    const bytes = arrayBytes(tensor)!
    if (shards.length === 0 || bytes > room) {
      shards.push([])
      room = maxBytes
    }
    shards.at(-1)!.push([name, tensor])
    room -= bytes
  }
  return shards
}
