import { join } from 'node:path'
import { checkRead } from '../check-read.js'
import type { Batch, Dataset, ReadOptions } from '../dataset.js'
import { rgbOf } from './background.js'
import { type CheckedPictures, checkPictures, refuseUnlessSkipped } from './check-pictures.js'
import { cropPool } from './crop-pool.js'
import type { CropPool } from './crop-pool.js'
import type { FolderRules } from './file-kinds.js'
import { ImageFolderError } from './image-folder-error.js'
import type { UnreadablePicture } from './image-folder-error.js'
import type { LeftOut } from './left-out.js'
import { MAX_PIXELS } from './picture-file.js'
import { printable } from './printable.js'
import { scanFolder } from './scan-folder.js'
import type { FolderListing } from './scan-folder.js'

/** Options of `openImageFolder`. */
export interface ImageFolderOptions {
  /** side of the square crops in pixels, or [height, width] */
  readonly size: number | readonly [height: number, width: number]
  /** leave unreadable pictures out, instead of refusing the folder (default false) */
  readonly skipBad?: boolean
  /** the class list of an earlier run; labels follow its order, and the folder must have just these classes */
  readonly classes?: readonly string[]
  /**
   * what transparent pictures are put on, `#rrggbb` (default white); null drops their alpha channel as the reference does, so that the
   * colours under transparent pixels show
   */
  readonly background?: string | null
  /** pixels of the largest picture that is decoded (default 100,000,000, and 32,768 a side; a higher limit is the only one) */
  readonly maxPixels?: number
  /**
   * 1 reads a folder as this package first did: PNG, JPEG and WebP by their commonest suffixes, every visible folder a class (default 2)
   */
  readonly rules?: FolderRules
  /** decoding threads (default: one per core, at most 4) */
  readonly threads?: number
  /** how many bytes of crops are kept in memory, 3 per pixel (default 1 GiB); the rest is decoded at each reading */
  readonly cacheBytes?: number
  /** told of the pictures found so far, while the folder is searched */
  readonly onScan?: (numFound: number) => void
  /** told what was found, before the pictures are checked */
  readonly onScanned?: (scan: FolderScan) => void
  /** told after each picture while the folder is checked */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
  /** stops the opening */
  readonly signal?: AbortSignal
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
export interface ImageFolder extends Dataset {
  /** path of each picture inside the folder, by index */
  readonly files: readonly string[]
  /** what `skipBad` left out */
  readonly skipped: readonly UnreadablePicture[]
  /** files that are no pictures, or cannot be read as ones, by kind */
  readonly leftOut: readonly LeftOut[]
  /** pictures with transparent pixels, as `files` has them; where `background` is null, those with an alpha channel */
  readonly transparent: readonly string[]
  /** those of them of which the background leaves next to nothing to see: white logos on white */
  readonly swallowed: readonly string[]
  close(): Promise<void>
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
  const { skipBad = false, threads, cacheBytes = 2 ** 30, onProgress, onScan, signal } = options
  const { background = '#ffffff', maxPixels = MAX_PIXELS, rules = 2 } = options
  const [height, width] = typeof options.size === 'number' ? [options.size, options.size] : options.size
  for (const [name, value] of Object.entries({ height, width, threads: threads ?? 1, maxPixels })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`openImageFolder: ${name} must be a positive integer (${name} is ${value})`)
    }
  }
  if (!(cacheBytes >= 0)) {
    throw new RangeError(`openImageFolder: cacheBytes must not be negative (cacheBytes is ${cacheBytes})`)
  }
  const ground = background === null ? null : rgbOf(background)
  const listing = withExpectedClasses(folder, await scanFolder(folder, { rules, onScan, signal }), options.classes)
  const { classes, files, leftOut, innerFolders } = listing
  options.onScanned?.({ classes, length: files.length, leftOut, innerFolders })
  const pool = cropPool({ height, width, background: ground, maxPixels, rules }, threads)
  try {
    const room = Math.floor(cacheBytes / (3 * height * width))
    const checked = await checkPictures(folder, listing, pool, { room, onProgress, signal })
    refuseUnlessSkipped(folder, listing, checked, { skipBad, rules })
    return folderDataset(folder, listing, checked, pool, height, width)
  } catch (error) {
    await pool.close()
    throw error
  }
}

function folderDataset(
  folder: string,
  { classes, leftOut }: FolderListing,
  { good, skipped }: CheckedPictures,
  pool: CropPool,
  height: number,
  width: number,
): ImageFolder {
  const area = height * width
  const read = async (indices: ArrayLike<number>, options: ReadOptions = {}): Promise<Batch> => {
    checkRead('openImageFolder', good.length, indices, options)
    const { flips, signal } = options
    const x0 = new Float32Array(indices.length * 3 * area)
    const rows = Array.from({ length: indices.length }, async (_, row) => {
      const { path, crop } = good[indices[row]]
      const bytes = crop ?? (await cropAgain(pool, folder, path, signal))
      writePlanes(bytes, width, Boolean(flips?.[row]), x0.subarray(row * 3 * area, (row + 1) * 3 * area))
    })
    await Promise.all(rows)
    return { x0, labels: Int32Array.from({ length: indices.length }, (_, row) => good[indices[row]].label) }
  }
  return {
    length: good.length,
    classes,
    shape: [3, height, width],
    files: good.map(({ path }) => path),
    skipped,
    leftOut,
    transparent: good.filter(({ isTransparent }) => isTransparent).map(({ path }) => path),
    swallowed: good.filter(({ isSwallowed }) => isSwallowed).map(({ path }) => path),
    labels: () => Int32Array.from(good, ({ label }) => label),
    read,
    close: () => pool.close(),
  }
}

/** A picture that was whole at opening and does not fit the cache. */
async function cropAgain(pool: CropPool, folder: string, path: string, signal?: AbortSignal): Promise<Uint8Array> {
  const file = join(folder, path)
  const result = await pool.crop(file, signal)
  if ('crop' in result) return result.crop
  throw new ImageFolderError(`openImageFolder: ${printable(file)} can no longer be read: ${result.reason}`, [
    { path, reason: result.reason },
  ])
}

/** Bytes, colour fastest, to one plane per colour in [-1, 1]. */
function writePlanes(bytes: Uint8Array, width: number, isFlipped: boolean, out: Float32Array): void {
  const area = out.length / 3
  for (let i = 0; i < area; i++) {
    const column = i % width
    const from = 3 * (isFlipped ? i - column + (width - 1 - column) : i)
    for (let channel = 0; channel < 3; channel++) out[channel * area + i] = bytes[from + channel] / 127.5 - 1
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
