import { bytesOf, requireData, type StoredArray, type StoredSpec } from '../dtype.js'
import { quote } from '../quote.js'
import { layoutSafetensors, type NamedTensors } from '../safetensors/layout.js'
import { dataOf, type TensorToWrite } from './tensor-to-write.js'
import { writeWholeFile, type WrittenFile } from './write-whole-file.js'

/** A tensor to be written that need never be in memory as a whole. */
export interface TensorInParts extends StoredSpec {
  /** Its elements one part after the other, each of the typed array of `dtype`. */
  readonly parts: () => AsyncIterable<StoredArray['data']>
}

/** Options of `writeSafetensorsFile`. */
export interface WriteFileOptions {
  /** Strings to keep with the tensors, under `__metadata__`. Default: none. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Waits until the file and its folder entry are on the disk. Default: false. */
  readonly sync?: boolean
}

/**
 * Writes a safetensors file to disk, one tensor at a time: where `data` is a function, no more than one tensor is held, and where
 * there are `parts`, one part.
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
  tensors: NamedTensors<TensorToWrite | TensorInParts>,
  { metadata = {}, sync = false }: WriteFileOptions = {},
): Promise<WrittenFile> {
  const { head, placed } = layoutSafetensors('writeSafetensorsFile', tensors, metadata)
  return writeWholeFile(path, sync, async (append) => {
    await append(head)
    for (const { name, tensor } of placed) {
      if ('parts' in tensor) for await (const part of checkedParts(name, tensor)) await append(bytesOf(part))
      else await append(bytesOf(await dataOf('writeSafetensorsFile', name, tensor)))
    }
  })
}

/** The parts of a tensor, checked against its dtype, and together against its shape. */
async function* checkedParts(
  name: string,
  { dtype, shape, parts }: TensorInParts,
): AsyncGenerator<StoredArray['data']> {
  const who = `writeSafetensorsFile: tensor ${quote(name)}`
  const size = shape.reduce((product, extent) => product * extent, 1)
  let written = 0
  for await (const part of parts()) {
    requireData(who, { dtype, shape: [part.length] }, part)
    written += part.length
    if (written <= size) yield part
  }
  if (written === size) return
  throw new RangeError(`${who}: shape [${shape.join(', ')}] must match the parts (${written} elements)`)
}
