import { checkRead } from '../check-read.js'
import type { Batch, Dataset, ReadOptions } from '../dataset.js'
import { rgbOf } from './background.js'
import { type CheckedPictures, checkPictures, type PictureSet, refuseUnlessSkipped } from './check-pictures.js'
import { cropPool } from './crop-pool.js'
import type { CropPool } from './crop-pool.js'
import type { Rgb } from './background.js'
import type { FolderRules } from './file-kinds.js'
import type { UnreadablePicture } from './image-folder-error.js'
import { MAX_PIXELS, type PicturePlace } from './picture-file.js'
import { printable } from './printable.js'

/** How pictures in files are opened, whatever holds the files. */
export interface PictureOptions {
  /** side of the square crops in pixels, or [height, width] */
  readonly size: number | readonly [height: number, width: number]
  /** leave unreadable pictures out, instead of refusing them all (default false) */
  readonly skipBad?: boolean
  /**
   * what transparent pictures are put on, `#rrggbb` (default white); null drops their alpha channel as the reference does, so that the
   * colours under transparent pixels show
   */
  readonly background?: string | null
  /** pixels of the largest picture that is decoded (default 100,000,000, and 32,768 a side; a higher limit is the only one) */
  readonly maxPixels?: number
  /** decoding threads (default: one per core, at most 4) */
  readonly threads?: number
  /** how many bytes of crops are kept in memory, 3 per pixel (default 1 GiB); the rest is decoded at each reading */
  readonly cacheBytes?: number
  /** told of the pictures found so far, while they are searched */
  readonly onScan?: (numFound: number) => void
  /** told after each picture while they are checked */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
  /** stops the opening */
  readonly signal?: AbortSignal
}

/** Pictures in files as a dataset. */
export interface PictureDataset extends Dataset {
  /** path of each picture inside what was opened, by index */
  readonly files: readonly string[]
  /** what `skipBad` left out */
  readonly skipped: readonly UnreadablePicture[]
  /** pictures with transparent pixels, as `files` has them; where `background` is null, those with an alpha channel */
  readonly transparent: readonly string[]
  /** those of them of which the background leaves next to nothing to see: white logos on white */
  readonly swallowed: readonly string[]
  close(): Promise<void>
}

/** Options that were found to be in range. */
export interface PictureSettings {
  readonly height: number
  readonly width: number
  readonly background: Rgb | null
  readonly maxPixels: number
  readonly cacheBytes: number
}

/** @throws RangeError for what is out of range */
export function pictureSettings(who: string, options: PictureOptions): PictureSettings {
  const { size, threads = 1, cacheBytes = 2 ** 30, background = '#ffffff', maxPixels = MAX_PIXELS } = options
  const [height, width] = typeof size === 'number' ? [size, size] : size
  for (const [name, value] of Object.entries({ height, width, threads, maxPixels })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`${who}: ${name} must be a positive integer (${name} is ${value})`)
    }
  }
  if (!(cacheBytes >= 0)) {
    throw new RangeError(`${who}: cacheBytes must not be negative (cacheBytes is ${cacheBytes})`)
  }
  return { height, width, background: background === null ? null : rgbOf(who, background), maxPixels, cacheBytes }
}

/**
 * Decodes every picture of a set once, so that a broken one is found now, and keeps as many crops as `cacheBytes` has room for.
 *
 * @throws the set's error where pictures cannot be read and must not be left out
 */
export async function openPictures(
  set: PictureSet,
  { height, width, background, maxPixels, cacheBytes }: PictureSettings,
  options: PictureOptions & { readonly rules: FolderRules },
): Promise<{ readonly dataset: PictureDataset; readonly places: readonly PicturePlace[] }> {
  const { skipBad = false, threads, rules, onProgress, signal } = options
  const pool = cropPool({ height, width, background, maxPixels, rules }, threads)
  try {
    const room = Math.floor(cacheBytes / (3 * height * width))
    const checked = await checkPictures(set, pool, { room, onProgress, signal })
    refuseUnlessSkipped(set, checked, { skipBad, rules })
    return {
      dataset: datasetOf(set, checked, pool, height, width),
      places: checked.good.map(({ place }) => place),
    }
  } catch (error) {
    await pool.close()
    throw error
  }
}

function datasetOf(
  set: PictureSet,
  { good, skipped }: CheckedPictures,
  pool: CropPool,
  height: number,
  width: number,
): PictureDataset {
  const area = height * width
  const read = async (indices: ArrayLike<number>, options: ReadOptions = {}): Promise<Batch> => {
    checkRead(set.who, good.length, indices, options)
    const { flips, signal } = options
    const x0 = new Float32Array(indices.length * 3 * area)
    const rows = Array.from({ length: indices.length }, async (_, row) => {
      const { path, place, crop } = good[indices[row]]
      const bytes = crop ?? (await cropAgain(set, pool, path, place, signal))
      writePlanes(bytes, width, Boolean(flips?.[row]), x0.subarray(row * 3 * area, (row + 1) * 3 * area))
    })
    await Promise.all(rows)
    return { x0, labels: Int32Array.from({ length: indices.length }, (_, row) => good[indices[row]].label) }
  }
  return {
    length: good.length,
    classes: set.classes,
    shape: [3, height, width],
    files: good.map(({ path }) => path),
    skipped,
    transparent: good.filter(({ isTransparent }) => isTransparent).map(({ path }) => path),
    swallowed: good.filter(({ isSwallowed }) => isSwallowed).map(({ path }) => path),
    labels: () => Int32Array.from(good, ({ label }) => label),
    read,
    close: () => pool.close(),
  }
}

/** A picture that was whole at opening and does not fit the cache. */
async function cropAgain(
  { who, fail }: PictureSet,
  pool: CropPool,
  path: string,
  place: PicturePlace,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const result = await pool.crop(place, signal)
  if ('crop' in result) return result.crop
  const shown = printable(typeof place === 'string' ? place : path)
  throw fail(`${who}: ${shown} can no longer be read: ${result.reason}`, [{ path, reason: result.reason }])
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
