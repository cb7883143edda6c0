import { memoryRunStore, type RunStore } from '@dit/train-ddp'

/** A file of a folder that a visitor chose; `path` begins within the folder. */
export interface FolderFile {
  readonly path: string
  readonly file: Blob
}

/** The files of a folder as `webkitdirectory` gives them, by their paths within it. */
export function folderFiles(files: Iterable<Blob & { readonly webkitRelativePath: string }>): readonly FolderFile[] {
  return Array.from(files, (file) => ({ path: file.webkitRelativePath.split('/').slice(1).join('/'), file }))
}

/** A run in such a folder, to be read only; what would write fails, or is lost. */
export function folderStore(files: readonly FolderFile[]): RunStore {
  const byPath = new Map(files.map(({ path, file }) => [path, file]))
  const read = async (path: string) => {
    const file = byPath.get(path)
    return file === undefined ? null : new Uint8Array(await file.arrayBuffer())
  }
  return {
    ...memoryRunStore(),
    location: 'the folder',
    read,
    async inspect(path) {
      const bytes = await read(path)
      return bytes === null ? null : memoryRunStore().write(path, bytes)
    },
    async list(path) {
      const prefix = path === '' ? '' : `${path}/`
      const inside = [...byPath.keys()].filter((name) => name.startsWith(prefix))
      return [...new Set(inside.map((name) => name.slice(prefix.length).split('/')[0]))].toSorted()
    },
  }
}
