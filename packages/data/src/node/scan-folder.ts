import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ImageFolderError } from './image-folder-error.js'
import { printable } from './printable.js'

/** The pictures of a folder with one sub-folder per class. */
export interface FolderListing {
  /** names of the sub-folders, sorted by character code */
  readonly classes: readonly string[]
  /** paths inside the folder, class by class, sorted */
  readonly files: readonly { readonly path: string; readonly label: number }[]
}

const PICTURE = /\.(png|jpe?g|webp)$/i

/**
 * Lists PNG, JPEG and WebP files by their names, in sub-folders of any depth below each class. Names that start with a
 * dot and other kinds of files are passed over.
 *
 * @throws ImageFolderError when the folder is missing, is a file, has no class sub-folders, or a class has no pictures
 */
export async function scanFolder(folder: string): Promise<FolderListing> {
  const found = await stat(folder).catch((cause: unknown) => {
    throw new ImageFolderError(`openImageFolder: there is no folder ${printable(folder)}; check the path`, [], {
      cause,
    })
  })
  if (!found.isDirectory()) {
    throw new ImageFolderError(
      `openImageFolder: ${printable(folder)} is a file; give the folder that holds one sub-folder of pictures per class`,
    )
  }
  const entries = await visibleEntries(folder)
  const classes = entries.filter((entry) => entry.isFolder).map((entry) => entry.name)
  if (classes.length === 0) throw noClasses(folder, entries)
  const files: { path: string; label: number }[] = []
  for (const [label, name] of classes.entries()) {
    const before = files.length
    for await (const path of pictures(folder, name)) files.push({ path, label })
    if (files.length === before) {
      throw new ImageFolderError(
        `openImageFolder: class folder ${printable(join(folder, name))} holds no PNG, JPEG or WebP files; fill it or remove it`,
      )
    }
  }
  return { classes, files }
}

function noClasses(folder: string, entries: readonly Entry[]): ImageFolderError {
  if (entries.length === 0) {
    return new ImageFolderError(
      `openImageFolder: ${printable(folder)} is empty; put one sub-folder of PNG, JPEG or WebP files per class in it`,
    )
  }
  const count = entries.filter((entry) => PICTURE.test(entry.name)).length
  return new ImageFolderError(
    `openImageFolder: ${printable(folder)} has no class sub-folders (it holds ${count} pictures and ${entries.length - count} ` +
      'other files); move the pictures into one sub-folder per class',
  )
}

async function* pictures(folder: string, below: string): AsyncGenerator<string> {
  for (const { name, isFolder } of await visibleEntries(join(folder, below))) {
    const path = join(below, name)
    if (isFolder) yield* pictures(folder, path)
    else if (PICTURE.test(name)) yield path
  }
}

interface Entry {
  readonly name: string
  readonly isFolder: boolean
}

/** What a folder holds, sorted by character code; links count as what they lead to. */
async function visibleEntries(folder: string): Promise<Entry[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const visible = entries.filter((entry) => !entry.name.startsWith('.'))
  const resolved = await Promise.all(
    visible.map(async (entry) => {
      const target = entry.isSymbolicLink() ? await stat(join(folder, entry.name)).catch(() => entry) : entry
      return { name: entry.name, isFolder: target.isDirectory() }
    }),
  )
  return resolved.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
