import { asBytes, bytesSource, readExactly, requireByteSource, type ByteSource } from '../byte-source.js'
import type { StoredArray } from '../dtype.js'
import { describeFormat, detectFormat } from '../format.js'
import { failFor } from './error.js'
import type { TorchTensor, TorchValue } from './value.js'

/** An opened `.pt` file. Its pickle has been read; the elements of each tensor are read when asked for. */
export interface TorchFile {
  /** What was saved: most often a Map of tensors, or of such Maps. */
  readonly value: TorchValue
  /** Names of what is in the file and not read, such as `pathlib.PosixPath`: see `TorchPlaceholder`. */
  readonly placeholders: readonly string[]
  /** Strings that `writeTorchFile` kept beside the pickle, without a prototype; empty where there are none. */
  readonly metadata: Readonly<Record<string, string>>
  /**
   * Reads the elements of a tensor of this file, in row-major order. The caller owns the result; tensors that share a storage
   * in the file do not share memory.
   *
   * @throws TorchError when its bytes cannot be had
   */
  tensor(tensor: TorchTensor): Promise<StoredArray>
}

/**
 * Opens a file that `torch.save` has written: the zip format and the one before it, pickle protocols 2 to 5.
 *
 *     const file = await openTorch(source)
 *     const weights = file.value.get('ema') ?? file.value
 *     const { data } = await file.tensor(weights.get('pos_embed'))
 *
 * Nothing in the file is executed. Containers, numbers, strings and tensors are built; of plain data of other classes (paths, dates, arrays
 * of numpy, objects of somebody's class) the names are kept. A file that asks for a function is refused, with the name of what it asks for. Memory is taken in proportion to the pickle, and to each tensor when it is read.
 *
 * @throws TorchError on anything that torch would not have written, or that is not on the list
 * @throws TypeError when `source` has no size or no read function
 */
export async function openTorch(source: ByteSource): Promise<TorchFile> {
  requireByteSource('openTorch', source)
  const fail = failFor(source.name)
  const head = await readExactly(source, 0, Math.min(16, source.size), fail)
  const format = detectFormat(head)
  if (format !== 'torch') {
    const looks = format === null ? describeFormat(head) : 'this looks like a safetensors file'
    throw fail(looks ?? 'must be a zip archive or begin with a pickle, as torch.save writes it')
  }
  // Loaded only here: pages that read safetensors do without unzipping and unpickling.
  const { openSaved } = await import('./open-saved.js')
  return openSaved(source, head[0] === 0x50 ? 'zip' : 'legacy', fail)
}

/** `openTorch` for a file that is in memory. */
export async function readTorch(bytes: Uint8Array | ArrayBuffer): Promise<TorchFile> {
  return openTorch(bytesSource(asBytes('readTorch', bytes)))
}
