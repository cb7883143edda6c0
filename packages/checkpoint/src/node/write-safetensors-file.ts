import { createHash } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { bytesOf, requireData, type StoredArray, type StoredSpec } from '../dtype.js'
import { quote } from '../quote.js'
import { layoutSafetensors, type NamedTensors } from '../safetensors/layout.js'

type MaybePromise<T> = T | Promise<T>

/** A tensor to be written: its elements, or a function that fetches them when their turn comes. */
export interface TensorToWrite extends StoredSpec {
  readonly data: StoredArray['data'] | (() => MaybePromise<StoredArray['data']>)
}

/** What was written, as a manifest would list it. */
export interface WrittenFile {
  /** Bytes in the file. */
  readonly size: number
  /** SHA-256 of the whole file, 64 hexadecimal digits. */
  readonly sha256: string
}

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
 * Writes to `<path>.partial` and renames at the end, so under `path` there is the old file or the whole new one, never a part.
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
  const { head, placed, size } = layoutSafetensors('writeSafetensorsFile', tensors, metadata)
  const partial = `${path}.partial`
  const hash = createHash('sha256')
  const handle = await open(partial, 'w')
  try {
    try {
      await append(head)
      for (const { name, tensor } of placed) {
        const data = typeof tensor.data === 'function' ? await tensor.data() : tensor.data
        requireData(`writeSafetensorsFile: tensor ${quote(name)}`, tensor, data)
        await append(bytesOf(data))
      }
      if (sync) await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
  if (sync) await syncFolder(dirname(path))
  return { size, sha256: hash.digest('hex') }

  async function append(bytes: Uint8Array): Promise<void> {
    const chunkBytes = 2 ** 26 // hashing blocks the thread, so not a whole large tensor at once
    for (let start = 0; start < bytes.length; start += chunkBytes) {
      const chunk = bytes.subarray(start, start + chunkBytes)
      hash.update(chunk)
      let written = 0
      while (written < chunk.length) written += (await handle.write(chunk, written)).bytesWritten
    }
  }
}

/** A rename is safe from a power cut only once the folder is on the disk too. Windows has no such call. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
