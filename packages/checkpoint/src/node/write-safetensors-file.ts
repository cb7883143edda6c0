import { bytesOf } from '../dtype.js'
import { layoutSafetensors, type NamedTensors } from '../safetensors/layout.js'
import { dataOf, type TensorToWrite } from './tensor-to-write.js'
import { writeWholeFile, type WrittenFile } from './write-whole-file.js'

/** Options of `writeSafetensorsFile`. */
export interface WriteFileOptions {
  /** Strings to keep with the tensors, under `__metadata__`. Default: none. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Waits until the file and its folder entry are on the disk. Default: false. */
  readonly sync?: boolean
}

/**
 * Writes a safetensors file to disk, one tensor at a time: where `data` is a function, no more than one tensor is held.
 * The bytes are those of `writeSafetensors`.
 *
 * Writes to a partial file beside it and renames that at the end, so under `path` there is the old file or the whole new one, never a part.
 *
 * @returns size and SHA-256 of the file
 * @throws TypeError and RangeError as `writeSafetensors` does
 * @throws Error with a `code` from the operating system, or whatever a `data` function throws; nothing is left behind
 */
export async function writeSafetensorsFile(
  path: string,
  tensors: NamedTensors<TensorToWrite>,
  { metadata = {}, sync = false }: WriteFileOptions = {},
): Promise<WrittenFile> {
  const { head, placed } = layoutSafetensors('writeSafetensorsFile', tensors, metadata)
  return writeWholeFile(path, sync, async (append) => {
    await append(head)
    for (const { name, tensor } of placed) await append(bytesOf(await dataOf('writeSafetensorsFile', name, tensor)))
  })
}
