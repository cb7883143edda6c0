import { bytesSource, type FileTree, type OpenSource } from '@dit/checkpoint'

/** A folder with one file that is in memory, or behind a `Blob`. */
export function memoryTree(name: string, file: Uint8Array | ArrayBuffer | Blob): FileTree {
  return {
    name,
    place: () => name,
    open: async (path) => (path === name ? sourceOf(name, file) : null),
  }
}

function sourceOf(name: string, file: Uint8Array | ArrayBuffer | Blob): OpenSource {
  if (!(file instanceof Blob)) return bytesSource(file, name)
  return {
    size: file.size,
    name,
    read: async (start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer()),
  }
}
