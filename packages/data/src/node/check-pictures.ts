import type { CropPool } from './crop-pool.js'
import type { Crop } from './crop-worker.js'
import type { FolderRules } from './file-kinds.js'
import type { UnreadablePicture } from './image-folder-error.js'
import type { PicturePlace } from './picture-file.js'
import { printable } from './printable.js'

/** Pictures to open, as a folder or shards list them. */
export interface PictureSet {
  /** the function whose errors these are */
  readonly who: string
  /** what was opened, printable */
  readonly where: string
  readonly classes: readonly string[]
  readonly files: readonly { readonly path: string; readonly label: number; readonly place: PicturePlace }[]
  /** what is known not to serve before a decoder has seen it */
  readonly bad: readonly UnreadablePicture[]
  /** what to do for a class, or classes, of which nothing is left */
  readonly adviceForEmptied: { readonly one: string; readonly more: string }
  readonly fail: (message: string, unreadable: readonly UnreadablePicture[]) => Error
}

/** A picture that can be read. */
export interface GoodPicture {
  /** inside what was opened */
  readonly path: string
  readonly label: number
  readonly place: PicturePlace
  /** its crop, where there is room to keep it */
  readonly crop: Uint8Array | undefined
  readonly isTransparent: boolean
  readonly isSwallowed: boolean
}

/** All pictures of a set, each decoded once. */
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

/** Decodes and crops every picture of a set. */
export async function checkPictures(
  { files, bad }: PictureSet,
  pool: CropPool,
  { room, onProgress, signal }: CheckOptions,
): Promise<CheckedPictures> {
  let done = 0
  const results = await Promise.all(
    files.map(async ({ path, label, place }, index): Promise<GoodPicture | UnreadablePicture> => {
      const result = await pool.crop(place, signal)
      onProgress?.({ done: ++done, total: files.length })
      if ('reason' in result) return { path, reason: result.reason }
      const { crop, isTransparent, isSwallowed }: Crop = result
      return { path, label, place, crop: index < room ? crop : undefined, isTransparent, isSwallowed }
    }),
  )
  return {
    good: results.filter((result) => 'label' in result),
    skipped: [...bad, ...results.filter((result) => 'reason' in result)],
  }
}

/**
 * Checks that unreadable pictures may be left out, and that something of each class is left.
 *
 * @throws the set's error, which names the first 20 of them and counts the rest
 */
export function refuseUnlessSkipped(
  set: PictureSet,
  { good, skipped }: CheckedPictures,
  { skipBad, rules }: { readonly skipBad: boolean; readonly rules: FolderRules },
): void {
  if (skipped.length === 0) return
  const { who, where, classes, files, bad } = set
  const hadPictures = new Set(files.map(({ label }) => label))
  const filled = new Set(good.map(({ label }) => label))
  const emptied = classes.filter((_, label) => hadPictures.has(label) && !filled.has(label))
  if (skipBad && good.length > 0 && (emptied.length === 0 || rules === 1)) return
  const lines = skipped.slice(0, LISTED).map(({ path, reason }) => `  ${printable(path)}: ${reason}`)
  if (skipped.length > LISTED) lines.push(`  and ${skipped.length - LISTED} more`)
  throw set.fail(
    `${who}: ${skipped.length} of ${files.length + bad.length} pictures in ${where} cannot be read\n` +
      `${lines.join('\n')}\n${adviceFor(set, skipBad, good.length, emptied)}`,
    skipped,
  )
}

function adviceFor(set: PictureSet, skipBad: boolean, numGood: number, emptied: readonly string[]): string {
  if (!skipBad) return 'Repair or remove them, or leave them out with skipBad.'
  if (numGood === 0) return 'None is left to train on.'
  const names = emptied.slice(0, LISTED).map(printable).join(', ')
  const more = emptied.length > LISTED ? ` and ${emptied.length - LISTED} more` : ''
  const { one, more: many } = set.adviceForEmptied
  const [which, what] = emptied.length === 1 ? ['class', one] : ['classes', many]
  return `Without them nothing is left of ${which} ${names}${more}: ${what}.`
}
