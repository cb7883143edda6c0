import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, open, readlink, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** What was written, as a manifest would list it. */
export interface WrittenFile {
  /** Bytes in the file. */
  readonly size: number
  /** SHA-256 of the whole file, 64 hexadecimal digits. */
  readonly sha256: string
}

/** Links that are followed, one after another, before they are taken for a circle: as many as Linux follows. */
const MAX_LINKS = 40

/**
 * Writes a file from its beginning to its end: to a partial file beside it, renamed at the end, so that under `path` there is the
 * old file or the whole new one, never a part. The partial file has a name of its own that nothing else has. A link stays, and what it
 * leads to is replaced; a device or a pipe takes the bytes as they come.
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
  const target = await targetOf(path)
  const found = await stat(target).catch(() => null)
  const hash = createHash('sha256')
  let size = 0
  if (found !== null && !found.isFile() && !found.isDirectory()) {
    const handle = await open(target, 'w')
    try {
      await write((bytes) => append(handle, bytes))
    } finally {
      await handle.close()
    }
    return { size, sha256: hash.digest('hex') }
  }
  const partial = `${target}.${randomBytes(6).toString('hex')}.partial`
  // Fails where there is a file of that name, link or not.
  const handle = await open(partial, 'wx')
  try {
    try {
      await write((bytes) => append(handle, bytes))
      if (sync) await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(partial, target)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
  if (sync) await syncFolder(dirname(target))
  return { size, sha256: hash.digest('hex') }

  async function append(file: FileHandle, bytes: Uint8Array): Promise<void> {
    const chunkBytes = 2 ** 26 // hashing blocks the thread, so not a whole large tensor at once
    for (let start = 0; start < bytes.length; start += chunkBytes) {
      const chunk = bytes.subarray(start, start + chunkBytes)
      hash.update(chunk)
      let written = 0
      while (written < chunk.length) written += (await file.write(chunk, written)).bytesWritten
    }
    size += bytes.length
  }
}

/**
 * Where a path leads through links, also to a file that is not there yet.
 *
 * @throws Error with the code `ELOOP` for links in a circle
 */
export async function targetOf(path: string): Promise<string> {
  let target = path
  for (let links = 0; links <= MAX_LINKS; links++) {
    const next = await readlink(target).catch(() => null)
    if (next === null) return target
    target = resolve(dirname(target), next)
  }
  throw Object.assign(new Error(`ELOOP: too many links, open '${path}'`), { code: 'ELOOP', path, syscall: 'open' })
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
