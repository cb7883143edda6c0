import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { appendFile, lstat, mkdir, open, readdir, readFile, rename, rm, stat, truncate } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { openSafetensorsFile, writeSafetensorsFile } from '@dit/checkpoint/node'
import type { RunStore } from '../run/run-store.js'
import { LOCK, lockFolder } from './lock.js'

/** How a run's folder is used. */
export interface FolderStoreOptions {
  /** Of a rank that writes parts of checkpoints while rank 0 holds the lock: nothing is written where the lock is not seen. */
  readonly isMember?: boolean
}

/**
 * A run as a folder. Files are written beside their place, synced and renamed, so that a reader never sees half of one,
 * and the folder is synced after that.
 */
export function folderRunStore(folder: string, { isMember = false }: FolderStoreOptions = {}): RunStore {
  let isLocked = false
  const place = async (path: string) => {
    // A folder that is gone, or the empty place where a disk was mounted, must not become a new run without its beginning.
    if (isMember) await requireLock(folder)
    else if (isLocked) await stat(join(folder, LOCK))
    const full = join(folder, path)
    const made = await mkdir(dirname(full), { recursive: true })
    if (made !== undefined) await syncBetween(dirname(made), dirname(full))
    return full
  }
  return {
    location: folder,
    read: (path) => orNull(readFile(join(folder, path))),
    async write(path, contents) {
      const full = await place(path)
      const bytes = typeof contents === 'string' ? Buffer.from(contents) : contents
      const partial = `${full}.partial`
      try {
        const file = await open(partial, 'w')
        try {
          await file.writeFile(bytes)
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(partial, full)
      } catch (error) {
        await rm(partial, { force: true })
        throw error
      }
      await syncFolder(dirname(full))
      return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
    },
    async writeTensors(path, tensors, metadata) {
      const { size, sha256 } = await writeSafetensorsFile(await place(path), tensors, { metadata, sync: true })
      return { bytes: size, sha256 }
    },
    openTensors: (path) => openSafetensorsFile(join(folder, path)),
    async inspect(path) {
      const full = join(folder, path)
      const about = await orNull(stat(full))
      if (about === null || !about.isFile()) return null
      const hash = createHash('sha256')
      for await (const chunk of createReadStream(full)) hash.update(chunk as Buffer)
      return { bytes: about.size, sha256: hash.digest('hex') }
    },
    append: async (path, text) => appendFile(await place(path), text),
    truncate: (path, bytes) => truncate(join(folder, path), bytes),
    async flush(path) {
      const file = await orNull(open(join(folder, path), 'r+'))
      if (file === null) return
      try {
        await file.sync()
      } finally {
        await file.close()
      }
    },
    list: async (path) => ((await orNull(readdir(join(folder, path)))) ?? []).toSorted(),
    async lock() {
      const unlock = await lockFolder(folder)
      isLocked = true
      return () => {
        isLocked = false
        return unlock()
      }
    },
    async remove(path) {
      // What lies behind a link is somebody else's: the link alone is removed.
      if (await isBehindLink(folder, dirname(path))) return
      await rm(join(folder, path), { recursive: true, force: true })
    },
  }
}

/** Whether a part of a path within the folder is a link. */
async function isBehindLink(folder: string, path: string): Promise<boolean> {
  for (let part = path; part !== '.' && part !== '/'; part = dirname(part)) {
    if ((await lstat(join(folder, part)).catch(() => null))?.isSymbolicLink() === true) return true
  }
  return false
}

/** Makes sure that a rank's folder is the one that rank 0 has locked. */
async function requireLock(folder: string): Promise<void> {
  if ((await orNull(stat(join(folder, LOCK)))) !== null) return
  throw new Error(
    `${folder} is not the folder that rank 0 writes to (its lock is not there); give a folder that all ranks share`,
  )
}

/** Syncs the folders from one down to the parent of another, where folders were made. */
async function syncBetween(first: string, below: string): Promise<void> {
  for (let path = dirname(below); path.length >= first.length; path = dirname(path)) {
    await syncFolder(path)
    if (path === dirname(path)) return
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows cannot open folders; there a rename is durable by itself.
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function orNull<T>(promise: Promise<T>): Promise<T | null> {
  try {
    return await promise
  } catch (error) {
    // A file where a folder was looked for holds nothing, either.
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}
