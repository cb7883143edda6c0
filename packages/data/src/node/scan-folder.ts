import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import {
  type FolderRules,
  isPictureName,
  isVisible,
  isWithoutSuffix,
  KINDS,
  reasonAgainstContent,
} from './file-kinds.js'
import { ImageFolderError } from './image-folder-error.js'
import { type LeftOut, type Tally, tally } from './left-out.js'
import { type Entry, visibleEntries } from './list-folder.js'
import { printable } from './printable.js'

/** The pictures of a folder with one sub-folder per class. */
export interface FolderListing {
  /** names of the sub-folders, sorted by character code */
  readonly classes: readonly string[]
  /** paths inside the folder, class by class, sorted */
  readonly files: readonly { readonly path: string; readonly label: number }[]
  /** what is no picture that can be read; nothing that is there for a system's sake */
  readonly leftOut: readonly LeftOut[]
  /** where no class folder holds a picture itself: folders in each of them */
  readonly innerFolders: readonly (readonly string[])[] | null
}

/** Options of `scanFolder`. */
export interface ScanOptions {
  readonly rules?: FolderRules
  /** told of the pictures found so far, after each folder */
  readonly onScan?: (numFound: number) => void
  readonly signal?: AbortSignal
}

/**
 * Lists pictures by their names, in sub-folders of any depth below each class; files without a suffix by their first bytes.
 * Hidden names, and what systems put beside pictures (`@eaDir`, `__MACOSX`, `Thumbs.db`), are passed over; other files are
 * counted.
 *
 * Links are followed, and each folder, and each file that a link leads to, counts once: a link to what its class already
 * has is passed over, and so is one to a folder around the class folders. What two classes lead to is an error.
 *
 * @throws ImageFolderError when the folder is missing, is a file, has no class sub-folders, a class has no pictures,
 *   two classes have names that look the same or share a folder or a file by a link; the signal's reason when that aborts
 */
export async function scanFolder(folder: string, options: ScanOptions = {}): Promise<FolderListing> {
  const { rules = 2 } = options
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
  const leftOut = tally()
  const entries = await visibleEntries(folder, rules, () => leftOut.addPicture('hidden'))
  const classes = entries.filter((entry) => entry.isFolder).map((entry) => entry.name)
  if (classes.length === 0) throw noClasses(folder, entries, rules)
  refuseTwins(folder, classes)
  for (const { name, isFolder } of entries) {
    if (isFolder) continue
    if (isPictureName(name, rules)) leftOut.addPicture('outside the class folders')
    else leftOut.add(name)
  }
  const walk = new Walk(folder, classes, leftOut, options)
  const paths = await walk.run()
  const empty = paths.findIndex((inClass) => inClass.length === 0)
  if (empty >= 0) throw await emptyClass(folder, classes[empty], options)
  const isNested = paths.every((inClass) => inClass.every((path) => dirname(dirname(path)) !== '.'))
  return {
    classes,
    files: paths.flatMap((inClass, label) => inClass.map((path) => ({ path, label }))),
    leftOut: leftOut.list(),
    innerFolders: isNested ? walk.innerFolders : null,
  }
}

/** Names that look the same and are not, as of folders that came from different systems. */
function refuseTwins(folder: string, classes: readonly string[]): void {
  const names = new Map<string, string>()
  for (const name of classes) {
    const twin = names.get(name.normalize('NFC'))
    if (twin !== undefined) {
      throw new ImageFolderError(
        `openImageFolder: ${printable(folder)} has two class folders ${printable(twin)}, whose names differ only in how ` +
          'their accents are encoded (NFC and NFD); put their pictures into one folder',
      )
    }
    names.set(name.normalize('NFC'), name)
  }
}

/** The error of a class without a picture, with what is there in place of pictures. */
async function emptyClass(folder: string, name: string, options: ScanOptions): Promise<ImageFolderError> {
  const own = tally()
  await new Walk(folder, [name], own, options).run()
  const kinds = own.list().map(({ kind, count }) => `${count} ${printable(kind)}`)
  const has = kinds.length === 0 ? '' : ` (it has ${kinds.slice(0, 5).join(', ')}${kinds.length > 5 ? ', …' : ''})`
  const path = printable(join(folder, name))
  const advice = own.list().some(({ kind }) => kind === '.tar')
    ? `for tar shards, give ${path}`
    : 'fill it or remove it'
  return new ImageFolderError(
    `openImageFolder: class folder ${path} holds no ${KINDS[options.rules ?? 2]} files${has}; ${advice}`,
  )
}

function noClasses(folder: string, entries: readonly Entry[], rules: FolderRules): ImageFolderError {
  if (entries.length === 0) {
    return new ImageFolderError(
      `openImageFolder: ${printable(folder)} is empty; put one sub-folder of ${KINDS[rules]} files per class in it`,
    )
  }
  const count = entries.filter((entry) => isPictureName(entry.name, rules)).length
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
  /** Real paths of files that are pictures by their content, having no suffix. */
  private readonly sniffed = new Set<string>()
  private readonly leftOut: Tally
  private readonly rules: FolderRules
  private readonly options: ScanOptions
  private numFound = 0
  /** Folders in each class folder. */
  readonly innerFolders: string[][]

  constructor(folder: string, classes: readonly string[], leftOut: Tally, options: ScanOptions) {
    this.folder = folder
    this.classes = classes
    this.leftOut = leftOut
    this.rules = options.rules ?? 2
    this.options = options
    this.innerFolders = classes.map(() => [])
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
    this.options.signal?.throwIfAborted()
    const entries = await visibleEntries(join(this.folder, place.path), this.rules, () =>
      this.leftOut.addPicture('hidden'),
    )
    const isClass = dirname(place.path) === '.'
    for (const { name, isFolder, isFile, isLink } of entries) {
      const inside = { path: join(place.path, name), label: place.label }
      if (isFolder && isClass) this.innerFolders[place.label].push(name)
      if (isFolder && isLink) this.folderLinks.push(inside)
      else if (isFolder) await this.enter(inside, join(real, name))
      else if (!(await this.isPicture(inside.path, name, isFile, join(real, name)))) this.leftOut.add(name)
      else if (isLink) this.fileLinks.push(inside)
      else this.addFile(inside)
    }
    this.options.onScan?.(this.numFound)
  }

  private addFile({ path, label }: Place): void {
    this.files[label].push(path)
    this.numFound++
  }

  /** What has no suffix is looked into, unless it is a pipe or device. */
  private async isPicture(path: string, name: string, isFile: boolean, real: string): Promise<boolean> {
    if (isPictureName(name, this.rules)) return true
    if (this.rules === 1 || !isFile || !isWithoutSuffix(name)) return false
    const reason = await reasonAgainstContent(join(this.folder, path), this.rules).catch(() => 'it cannot be read')
    if (reason === null) this.sniffed.add(real)
    return reason === null
  }

  private addLinkedFile(link: Place, real: string | null): void {
    if (real !== null) {
      const around = this.owners.get(dirname(real))
      const isPicture = isPictureName(real, this.rules) || this.sniffed.has(real)
      const isListed = around !== undefined && isVisible(basename(real), this.rules) && isPicture
      if (isListed) this.refuseUnlessOwner(link, around)
      if (isListed || !this.claim(link, real)) return
    }
    this.addFile(link)
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

/** Folder by folder, as names sort: `a/b/c` before `a/b.png`. */
function inWalkOrder(a: string, b: string): number {
  return a.replaceAll(sep, '\0') < b.replaceAll(sep, '\0') ? -1 : 1
}
