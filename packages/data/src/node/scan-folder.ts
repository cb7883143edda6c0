import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
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
 * Links are followed, and each folder, and each file that a link leads to, counts once: a link to what its class already
 * has is passed over, and so is one to a folder around the class folders. What two classes lead to is an error.
 *
 * @throws ImageFolderError when the folder is missing, is a file, has no class sub-folders, a class has no pictures, or
 *   two classes share a folder or a file by a link
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
  const paths = await new Walk(folder, classes).run()
  const empty = paths.findIndex((inClass) => inClass.length === 0)
  if (empty >= 0) {
    const name = printable(join(folder, classes[empty]))
    throw new ImageFolderError(
      `openImageFolder: class folder ${name} holds no PNG, JPEG or WebP files; fill it or remove it`,
    )
  }
  return { classes, files: paths.flatMap((inClass, label) => inClass.map((path) => ({ path, label }))) }
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

/** Something found below a class folder. */
interface Place {
  /** inside the folder */
  readonly path: string
  readonly label: number
}

/** One pass over the class folders: what is really there first, then what links lead to, so that no link takes it. */
class Walk {
  private readonly folder: string
  private readonly classes: readonly string[]
  private readonly files: string[][]
  /** Class of each folder that was entered and each file that a link led to, by real path. */
  private readonly owners = new Map<string, number>()
  private readonly folderLinks: Place[] = []
  private readonly fileLinks: Place[] = []
  /** Real paths of the folder and the class folders. */
  private readonly roots: string[] = []

  constructor(folder: string, classes: readonly string[]) {
    this.folder = folder
    this.classes = classes
    this.files = classes.map(() => [])
  }

  /** @returns paths inside the folder, by class */
  async run(): Promise<string[][]> {
    const real = await Promise.all(['', ...this.classes].map((name) => realpath(join(this.folder, name))))
    this.roots.push(...real)
    for (const [label, path] of this.classes.entries()) await this.enter({ path, label }, real[label + 1])
    // The list grows while links lead to more links.
    for (const link of this.folderLinks) await this.enter(link, await realpath(join(this.folder, link.path)))
    // A link that leads nowhere is a picture that cannot be read, and is reported as one.
    const targets = await Promise.all(
      this.fileLinks.map(({ path }) => realpath(join(this.folder, path)).catch(() => null)),
    )
    for (const [i, link] of this.fileLinks.entries()) this.addLinkedFile(link, targets[i])
    const hasLinks = this.folderLinks.length + this.fileLinks.length > 0
    return hasLinks ? this.files.map((paths) => paths.toSorted(inWalkOrder)) : this.files
  }

  private async enter(place: Place, real: string): Promise<void> {
    if (this.isAround(real, place) || !this.claim(place, real)) return
    for (const { name, isFolder, isLink } of await visibleEntries(join(this.folder, place.path))) {
      const inside = { path: join(place.path, name), label: place.label }
      if (isFolder && isLink) this.folderLinks.push(inside)
      else if (isFolder) await this.enter(inside, join(real, name))
      else if (PICTURE.test(name)) {
        if (isLink) this.fileLinks.push(inside)
        else this.files[place.label].push(inside.path)
      }
    }
  }

  private addLinkedFile(link: Place, real: string | null): void {
    if (real !== null) {
      const around = this.owners.get(dirname(real))
      const isListed = around !== undefined && isVisible(basename(real)) && PICTURE.test(real)
      if (isListed) this.refuseUnlessOwner(link, around)
      if (isListed || !this.claim(link, real)) return
    }
    this.files[link.label].push(link.path)
  }

  /** True for the folder itself and those around it or around a class folder: a walk from there would come back. */
  private isAround(real: string, { label }: Place): boolean {
    const inside = real.endsWith(sep) ? real : real + sep
    return this.roots[0] === real || this.roots[0].startsWith(inside) || this.roots[label + 1].startsWith(inside)
  }

  /** @returns true when nobody had it */
  private claim(place: Place, real: string): boolean {
    const owner = this.owners.get(real)
    if (owner === undefined) {
      this.owners.set(real, place.label)
      return true
    }
    this.refuseUnlessOwner(place, owner)
    return false
  }

  private refuseUnlessOwner({ path, label }: Place, owner: number): void {
    if (owner === label) return
    throw new ImageFolderError(
      `openImageFolder: ${printable(join(this.folder, path))} leads to what class ${printable(this.classes[owner])} ` +
        'already has, and a picture has one class; remove one of the links',
    )
  }
}

interface Entry {
  readonly name: string
  readonly isFolder: boolean
  readonly isLink: boolean
}

/** What a folder holds, sorted by character code; links count as what they lead to. */
async function visibleEntries(folder: string): Promise<Entry[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const resolved = await Promise.all(
    entries
      .filter(({ name }) => isVisible(name))
      .map(async (entry) => {
        const isLink = entry.isSymbolicLink()
        const target = isLink ? await stat(join(folder, entry.name)).catch(() => entry) : entry
        return { name: entry.name, isFolder: target.isDirectory(), isLink }
      }),
  )
  return resolved.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Folder by folder, as names sort: `a/b/c` before `a/b.png`. */
function inWalkOrder(a: string, b: string): number {
  return a.replaceAll(sep, '\0') < b.replaceAll(sep, '\0') ? -1 : 1
}

function isVisible(name: string): boolean {
  return !name.startsWith('.')
}
