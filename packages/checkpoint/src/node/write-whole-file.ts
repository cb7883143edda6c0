import { createHash } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What was written, as a manifest would list it. */
export interface WrittenFile {
  /** Bytes in the file. */
  readonly size: number
  /** SHA-256 of the whole file, 64 hexadecimal digits. */
  readonly sha256: string
}

/**
 * Writes a file from its beginning to its end: to `<path>.partial`, renamed at the end, so that under `path` there is the
 * old file or the whole new one, never a part.
 *
 * @param write calls `append` for each piece
 * @param sync  waits until the file and its folder entry are on the disk
 * @throws Error with a `code` from the operating system, or whatever `write` throws; nothing is left behind
 */
export async function writeWholeFile(
  path: string,
  sync: boolean,
  write: (append: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<WrittenFile> {
  const partial = `${path}.partial`
  const hash = createHash('sha256')
  let size = 0
  const handle = await open(partial, 'w')
  try {
    try {
      await write(append)
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
    size += bytes.length
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
