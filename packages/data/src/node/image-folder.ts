import { join } from 'node:path'
import type { PictureSet } from './check-pictures.js'
import type { FolderRules } from './file-kinds.js'
import { ImageFolderError } from './image-folder-error.js'
import type { LeftOut } from './left-out.js'
import { openPictures, type PictureDataset, type PictureOptions, pictureSettings } from './picture-dataset.js'
import { printable } from './printable.js'
import { scanFolder } from './scan-folder.js'
import type { FolderListing } from './scan-folder.js'

/** Options of `openImageFolder`. */
export interface ImageFolderOptions extends PictureOptions {
  /** the class list of an earlier run; labels follow its order, and the folder must have just these classes */
  readonly classes?: readonly string[]
  /**
   * 1 reads a folder as this package first did: PNG, JPEG and WebP by their commonest suffixes, every visible folder a class (default 2)
   */
  readonly rules?: FolderRules
  /** told what was found, before the pictures are checked */
  readonly onScanned?: (scan: FolderScan) => void
}

/** What a folder holds by its names. */
export interface FolderScan {
  /** class names, in the order of their labels */
  readonly classes: readonly string[]
  /** number of pictures */
  readonly length: number
  /** files that are no pictures, or cannot be read as ones, by kind */
  readonly leftOut: readonly LeftOut[]
  /**
   * folders in each class folder, where no class folder holds a picture itself: the folder given may be one level too high; null
   * otherwise
   */
  readonly innerFolders: readonly (readonly string[])[] | null
}

/** A folder of pictures as a dataset. */
export interface ImageFolder extends PictureDataset {
  /** files that are no pictures, or cannot be read as ones, by kind */
  readonly leftOut: readonly LeftOut[]
}

/**
 * Opens a folder with one sub-folder of pictures per class: PNG, JPEG, WebP, AVIF, GIF and TIFF, of several in a file the
 * first. Labels number the sub-folders in the order of their sorted names.
 *
 * Links are followed, and what they lead to counts once: a link to a folder or file that its class already has, or back to
 * a folder around it, adds nothing, so that loops end; a picture that a link would put into two classes is an error.
 *
 * Every picture is decoded once at opening, so that a file which is no picture, or only half of one, is found before
 * training starts. What counts is the content: a regular file of one of these kinds, of at most `maxPixels`. An SVG by such a
 * name is as unreadable as a named pipe, and no decoder is run on it. Decoding and the reference's centre crop run on worker
 * threads. Crops are kept in memory up to `cacheBytes`; whoever opens a folder closes it.
 *
 * Transparent pictures are put on `background`. The reference drops their alpha channel instead.
 *
 * @param folder  path of the folder
 * @throws ImageFolderError when the folder does not hold class folders with pictures, when its classes are not those
 *   expected, when links mix its classes, or when pictures cannot be read: one error that names the first 20 of them and counts the rest.
 *   `skipBad` leaves them out, unless nothing of a class is left
 * @throws RangeError when an option is out of range
 *
 * @example
 * const folder = await openImageFolder('photos', { size: 32 })
 * const { x0, labels } = await folder.read([0, 1]) // x0 [2, 3, 32, 32]
 * await folder.close()
 */
export async function openImageFolder(folder: string, options: ImageFolderOptions): Promise<ImageFolder> {
  const { rules = 2, onScan, signal } = options
  const settings = pictureSettings('openImageFolder', options)
  const listing = withExpectedClasses(folder, await scanFolder(folder, { rules, onScan, signal }), options.classes)
  const { classes, files, leftOut, innerFolders } = listing
  options.onScanned?.({ classes, length: files.length, leftOut, innerFolders })
  const { dataset } = await openPictures(setOf(folder, listing), settings, { ...options, rules })
  return { ...dataset, leftOut }
}

function setOf(folder: string, { classes, files }: FolderListing): PictureSet {
  return {
    who: 'openImageFolder',
    where: printable(folder),
    classes,
    files: files.map(({ path, label }) => ({ path, label, place: join(folder, path) })),
    bad: [],
    adviceForEmptied: {
      one: 'repair pictures of it, or remove its folder',
      more: 'repair pictures of them, or remove their folders',
    },
    fail: (message, unreadable) => new ImageFolderError(message, unreadable),
  }
}

function withExpectedClasses(folder: string, listing: FolderListing, expected?: readonly string[]): FolderListing {
  if (expected === undefined) return listing
  const missing = expected.filter((name) => !listing.classes.includes(name))
  const added = listing.classes.filter((name) => !expected.includes(name))
  if (missing.length > 0 || added.length > 0) {
    const parts = [
      missing.length > 0 ? `missing: ${missing.map(printable).join(', ')}` : '',
      added.length > 0 ? `not expected: ${added.map(printable).join(', ')}` : '',
    ]
    throw new ImageFolderError(
      `openImageFolder: the classes of ${printable(folder)} are not the ${expected.length} expected ones ` +
        `(${parts.filter(Boolean).join('; ')})`,
    )
  }
  const inner = listing.innerFolders
  return {
    ...listing,
    classes: expected,
    innerFolders: inner && expected.map((name) => inner[listing.classes.indexOf(name)]),
    files: listing.files.map(({ path, label }) => ({ path, label: expected.indexOf(listing.classes[label]) })),
  }
}
