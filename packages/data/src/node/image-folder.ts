import { join } from 'node:path'
import { checkRead } from '../check-read.js'
import type { Batch, Dataset, ReadOptions } from '../dataset.js'
import { cropPool } from './crop-pool.js'
import type { CropPool } from './crop-pool.js'
import { ImageFolderError } from './image-folder-error.js'
import type { UnreadablePicture } from './image-folder-error.js'
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
  /** decoding threads (default: one per core, at most 4) */
  readonly threads?: number
  /** how many bytes of crops are kept in memory, 3 per pixel (default 1 GiB); the rest is decoded at each reading */
  readonly cacheBytes?: number
  /** told after each picture while the folder is checked */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
  /** stops the opening */
  readonly signal?: AbortSignal
}

/** A folder of pictures as a dataset. */
export interface ImageFolder extends Dataset {
  /** path of each picture inside the folder, by index */
  readonly files: readonly string[]
  /** what `skipBad` left out */
  readonly skipped: readonly UnreadablePicture[]
  close(): Promise<void>
}

const LISTED = 20

/**
 * Opens a folder with one sub-folder of PNG, JPEG or WebP files per class. Labels number the sub-folders in the order of
 * their sorted names.
 *
 * Links are followed, and what they lead to counts once: a link to a folder or file that its class already has, or back to
 * a folder around it, adds nothing, so that loops end; a picture that a link would put into two classes is an error.
 *
 * Every picture is decoded once at opening, so that a file which is no picture, or only half of one, is found before
 * training starts. What counts is the content: a regular file that is PNG, JPEG or WebP, of at most 268,402,689 pixels
 * (16,383 by 16,383). A GIF or an SVG by such a name is as unreadable as a named pipe, and no decoder is run on it. Decoding and the reference's centre crop run on worker threads. Crops are kept in memory up to
 * `cacheBytes`; whoever opens a folder closes it.
 *
 * @param folder  path of the folder
 * @throws ImageFolderError when the folder does not hold class folders with pictures, when its classes are not those
 *   expected, when links mix its classes, or when pictures cannot be read: one error that names the first 20 of them and counts the rest
 * @throws RangeError when an option is out of range
 *
 * @example
 * const folder = await openImageFolder('photos', { size: 32 })
 * const { x0, labels } = await folder.read([0, 1]) // x0 [2, 3, 32, 32]
 * await folder.close()
 */
export async function openImageFolder(folder: string, options: ImageFolderOptions): Promise<ImageFolder> {
  const { skipBad = false, threads, cacheBytes = 2 ** 30, onProgress, signal } = options
  const [height, width] = typeof options.size === 'number' ? [options.size, options.size] : options.size
  for (const [name, value] of Object.entries({ height, width, threads: threads ?? 1 })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`openImageFolder: ${name} must be a positive integer (${name} is ${value})`)
    }
  }
  if (!(cacheBytes >= 0)) {
    throw new RangeError(`openImageFolder: cacheBytes must not be negative (cacheBytes is ${cacheBytes})`)
  }
  const listing = withExpectedClasses(folder, await scanFolder(folder), options.classes)
  const pool = cropPool(height, width, threads)
  try {
    const room = Math.floor(cacheBytes / (3 * height * width))
    const checked = await checkPictures(folder, listing, pool, { room, onProgress, signal })
    if (checked.skipped.length > 0) refuseUnlessSkipped(folder, listing, checked.skipped, skipBad)
    return folderDataset(folder, listing.classes, checked, pool, height, width)
  } catch (error) {
    await pool.close()
    throw error
  }
}

interface CheckedPictures {
  readonly good: readonly { readonly path: string; readonly label: number; readonly crop: Uint8Array | undefined }[]
  readonly skipped: readonly UnreadablePicture[]
}

interface CheckOptions {
  /** how many crops to keep */
  readonly room: number
  readonly onProgress: ImageFolderOptions['onProgress']
  readonly signal: AbortSignal | undefined
}

async function checkPictures(
  folder: string,
  { files }: FolderListing,
  pool: CropPool,
  { room, onProgress, signal }: CheckOptions,
): Promise<CheckedPictures> {
  let done = 0
  const results = await Promise.all(
    files.map(async ({ path, label }, index) => {
      const result = await pool.crop(join(folder, path), signal)
      onProgress?.({ done: ++done, total: files.length })
      if ('reason' in result) return { path, label, reason: result.reason }
      return { path, label, crop: index < room ? result.crop : undefined }
    }),
  )
  return {
    good: results.flatMap(({ path, label, crop, reason }) => (reason === undefined ? [{ path, label, crop }] : [])),
    skipped: results.flatMap(({ path, reason }) => (reason === undefined ? [] : [{ path, reason }])),
  }
}

function folderDataset(
  folder: string,
  classes: readonly string[],
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
  return {
    classes: expected,
    files: listing.files.map(({ path, label }) => ({ path, label: expected.indexOf(listing.classes[label]) })),
  }
}

function refuseUnlessSkipped(
  folder: string,
  { files }: FolderListing,
  bad: readonly UnreadablePicture[],
  skipBad: boolean,
): void {
  if (skipBad && bad.length < files.length) return
  const lines = bad.slice(0, LISTED).map(({ path, reason }) => `  ${printable(path)}: ${reason}`)
  if (bad.length > LISTED) lines.push(`  and ${bad.length - LISTED} more`)
  const advice = skipBad ? 'None is left to train on.' : 'Repair or remove them, or leave them out with skipBad.'
  throw new ImageFolderError(
    `openImageFolder: ${bad.length} of ${files.length} pictures in ${printable(folder)} cannot be read\n${lines.join('\n')}\n${advice}`,
    bad,
  )
}
