import type { FolderScan, LeftOut, PictureDataset } from '@dit/data/node'
import { formatCount, formatCounted } from '../terminal/format.js'
import { printableName } from '../terminal/printable.js'

/** Class names that are shown; the rest is counted. */
const SHOWN = 12
/** Names of parts of a data set, which are no classes. */
const SPLITS = /^(train(ing)?|val(id(ation)?)?|test(ing)?|dev|eval)$/i

/** `found  12 pictures in 2 classes: cats, dogs` */
export function foundText({ length, classes }: FolderScan): string {
  return `found  ${formatCounted(length, 'picture', 'pictures')} in ${formatCounted(classes.length, 'class', 'classes')}: ${someOf(classes)}`
}

/** What was passed over, by kind; null where nothing was. */
export function leftOutText(leftOut: readonly LeftOut[], inShards = false): string | null {
  if (leftOut.length === 0) return null
  const parts = leftOut.map(({ kind, count, isPicture }) => {
    const isCaption = inShards && kind === '.txt'
    const why = isCaption
      ? ' (captions are not used)'
      : isPicture && kind.startsWith('.')
        ? ' (not decoded; convert them to PNG)'
        : ''
    return `${formatCount(count)} ${printableName(kind)}${why}`
  })
  return `left out: ${parts.join(', ')}`
}

/** Says that the folder may be the wrong one: parts of a data set for classes, or a level too high. */
export function wrongFolderText(folder: string, { classes, innerFolders }: FolderScan): string | null {
  if (classes.every((name) => SPLITS.test(name))) {
    const part = classes.find((name) => /^train/i.test(name)) ?? classes[0]
    const [are, parts] = classes.length === 1 ? ['the only class is', 'a part'] : ['the classes are', 'parts']
    return `${are} ${someOf(classes)}, named like ${parts} of a data set; did you mean --data ${printableName(folder)}/${printableName(part)}?`
  }
  if (innerFolders === null) return null
  // Some data sets have one folder of pictures in each class folder, always by the same name.
  const names = new Set(innerFolders.flat())
  if (classes.length > 1 && names.size === 1) return null
  return (
    `no class folder holds a picture itself: ${printableName(classes[0])} has the folders ${someOf(innerFolders[0])}. ` +
    `If those are the classes, give --data ${printableName(folder)}/${printableName(classes[0])}`
  )
}

/** What became of transparent pictures; null where there is none. */
export function transparencyText(
  { transparent, length }: PictureDataset,
  background: string | null,
  isOld: boolean,
): string | null {
  if (transparent.length === 0) return null
  const some = `${formatCount(transparent.length)} of ${formatCount(length)} pictures`
  if (background !== null) return `${some} are transparent: put on ${nameOfColour(background)} (--background)`
  const why = isOld ? 'as when the run began' : 'as in the reference'
  return `${some} have an alpha channel, which is dropped ${why}: colours hidden under it show`
}

/** Warns of pictures of which the background leaves nothing to see. */
export function swallowedText({ transparent, swallowed }: PictureDataset, background: string | null): string | null {
  if (swallowed.length === 0 || background === null) return null
  const isLight = Number.parseInt(background.slice(3, 5), 16) >= 128
  return (
    `${formatCount(swallowed.length)} of the ${formatCount(transparent.length)} transparent pictures nearly vanish on ` +
    `${nameOfColour(background)}, such as ${printableName(swallowed[0])}; another --background, such as ${isLight ? 'black' : 'white'}, may show them`
  )
}

function nameOfColour(colour: string): string {
  return { '#ffffff': 'white', '#000000': 'black' }[colour] ?? colour
}

/** The first names, and how many more there are. */
export function someOf(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map(printableName).join(', ')
  return names.length > SHOWN ? `${shown} and ${formatCount(names.length - SHOWN)} more` : shown
}
