import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileTree } from '../file-tree.js'
import { openFileSource } from './file-source.js'

/** A folder on disk. */
export function folderTree(folder: string): FileTree {
  const place = (path: string) => join(folder, path)
  return {
    name: folder,
    place,
    async list(inner) {
      return readdir(place(inner)).catch(() => [])
    },
    async open(path) {
      try {
        return await openFileSource(place(path))
      } catch (error) {
        if (isMissing(error)) return null
        throw error
      }
    },
  }
}

/** No such file, or a folder in its place. */
function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' || error instanceof TypeError
}
