import { join } from 'node:path'
import type { CropPool } from './crop-pool.js'
import type { Crop } from './crop-worker.js'
import type { FolderRules } from './file-kinds.js'
import { ImageFolderError } from './image-folder-error.js'
import type { UnreadablePicture } from './image-folder-error.js'
import { printable } from './printable.js'
import type { FolderListing } from './scan-folder.js'

/** A picture that can be read. */
export interface GoodPicture {
  /** inside the folder */
  readonly path: string
  readonly label: number
  /** its crop, where there is room to keep it */
  readonly crop: Uint8Array | undefined
  readonly isTransparent: boolean
  readonly isSwallowed: boolean
}

/** All pictures of a folder, each decoded once. */
export interface CheckedPictures {
  readonly good: readonly GoodPicture[]
  readonly skipped: readonly UnreadablePicture[]
}

export interface CheckOptions {
  /** how many crops to keep */
  readonly room: number
  readonly onProgress: ((progress: { readonly done: number; readonly total: number }) => void) | undefined
  readonly signal: AbortSignal | undefined
}

const LISTED = 20

/** Decodes and crops every picture of a folder. */
export async function checkPictures(
  folder: string,
  { files }: FolderListing,
  pool: CropPool,
  { room, onProgress, signal }: CheckOptions,
): Promise<CheckedPictures> {
  let done = 0
  const results = await Promise.all(
    files.map(async ({ path, label }, index): Promise<GoodPicture | UnreadablePicture> => {
      const result = await pool.crop(join(folder, path), signal)
      onProgress?.({ done: ++done, total: files.length })
      if ('reason' in result) return { path, reason: result.reason }
      const { crop, isTransparent, isSwallowed }: Crop = result
      return { path, label, crop: index < room ? crop : undefined, isTransparent, isSwallowed }
    }),
  )
  return {
    good: results.filter((result) => 'label' in result),
    skipped: results.filter((result) => 'reason' in result),
  }
}

/**
 * Checks that unreadable pictures may be left out, and that something of each class is left.
 *
 * @throws ImageFolderError that names the first 20 of them and counts the rest
 */
export function refuseUnlessSkipped(
  folder: string,
  { classes, files }: FolderListing,
  { good, skipped: bad }: CheckedPictures,
  { skipBad, rules }: { readonly skipBad: boolean; readonly rules: FolderRules },
): void {
  if (bad.length === 0) return
  const filled = new Set(good.map(({ label }) => label))
  const emptied = classes.filter((_, label) => !filled.has(label))
  if (skipBad && (emptied.length === 0 || (rules === 1 && good.length > 0))) return
  const lines = bad.slice(0, LISTED).map(({ path, reason }) => `  ${printable(path)}: ${reason}`)
  if (bad.length > LISTED) lines.push(`  and ${bad.length - LISTED} more`)
  throw new ImageFolderError(
    `openImageFolder: ${bad.length} of ${files.length} pictures in ${printable(folder)} cannot be read\n` +
      `${lines.join('\n')}\n${adviceFor(skipBad, good.length, emptied)}`,
    bad,
  )
}

function adviceFor(skipBad: boolean, numGood: number, emptied: readonly string[]): string {
  if (!skipBad) return 'Repair or remove them, or leave them out with skipBad.'
  if (numGood === 0) return 'None is left to train on.'
  const names = emptied.slice(0, LISTED).map(printable).join(', ')
  const more = emptied.length > LISTED ? ` and ${emptied.length - LISTED} more` : ''
  const [which, what] =
    emptied.length === 1 ? ['class', 'it, or remove its folder'] : ['classes', 'them, or remove their folders']
  return `Without them nothing is left of ${which} ${names}${more}: repair pictures of ${what}.`
}
