import { bytesOf, requireSpec } from '../dtype.js'
import { quote } from '../quote.js'
import { type NamedTensors, namedList } from '../safetensors/layout.js'
import { METADATA_ENTRY, metadataBytes } from '../torch/metadata.js'
import { stateDictPickle } from '../torch/write-pickle.js'
import { crc32 } from '../zip/crc32.js'
import { localHeader, type StoredEntry, zipDirectory } from '../zip/write.js'
import { dataOf, type TensorToWrite } from './tensor-to-write.js'
import type { WriteFileOptions } from './write-safetensors-file.js'
import { writeWholeFile, type WrittenFile } from './write-whole-file.js'

/** Where torch lets the elements of a storage begin. */
const ALIGNMENT = 64

/** The version of the archive, which torch reads up to now. */
const ARCHIVE_VERSION = '3\n'

/**
 * Writes tensors as a `.pt` file, a bare state dict, as `torch.save(model.state_dict(), path)` does: `torch.load` reads it, also
 * with `weights_only`. One tensor is held at a time, where `data` is a function; beyond 4 GiB the archive is zip64.
 *
 *     await writeTorchFile('model.pt', { weight: { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) } })
 *
 * Metadata lie in the archive beside the pickle, in `extra/metadata.json`, which torch does not read: for it the file is the bare state
 * dict.
 *
 * Writes to a partial file beside it and renames that at the end.
 *
 * @returns size and SHA-256 of the file
 * @throws TypeError on an unknown dtype or data of another kind than the dtype needs, RangeError on a shape that does not
 *   match the data or a name that is no well-formed Unicode
 * @throws Error with a `code` from the operating system, or whatever a `data` function throws; nothing is left behind
 */
export async function writeTorchFile(
  path: string,
  tensors: NamedTensors<TensorToWrite>,
  { sync = false, metadata = {} }: WriteFileOptions = {},
): Promise<WrittenFile> {
  const named = namedList(tensors)
  for (const [name, tensor] of named) {
    requireSpec(`writeTorchFile: tensor ${quote(name)}`, tensor)
    if (/\p{Surrogate}/u.test(name))
      throw new RangeError(`writeTorchFile: names must be well-formed Unicode (${quote(name)})`)
  }
  const pickle = stateDictPickle(named)
  const beside = Object.keys(metadata).length === 0 ? null : metadataBytes('writeTorchFile', metadata)
  return writeWholeFile(path, sync, async (append) => {
    const entries: StoredEntry[] = []
    let at = 0
    const put = async (name: string, content: Uint8Array) => {
      const entry = { name: `archive/${name}`, bytes: content.length, crc: crc32(content), byteOffset: at }
      const head = localHeader(entry, ALIGNMENT)
      await append(head)
      await append(content)
      entries.push(entry)
      at += head.length + content.length
    }
    const text = (value: string) => new TextEncoder().encode(value)
    await put('data.pkl', pickle)
    await put('byteorder', text('little'))
    if (beside !== null) await put(METADATA_ENTRY, beside)
    for (const [key, [name, tensor]] of named.entries()) {
      await put(`data/${key}`, bytesOf(await dataOf('writeTorchFile', name, tensor)))
    }
    await put('version', text(ARCHIVE_VERSION))
    await append(zipDirectory(entries, at))
  })
}
