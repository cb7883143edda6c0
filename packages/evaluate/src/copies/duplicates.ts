import type { PictureSet } from '../sets/picture-set.js'

/** A set, and the digests of its pictures. */
export interface DigestedSet {
  readonly set: Pick<PictureSet, 'name' | 'files'>
  readonly digests: readonly string[]
}

/** Examples that an error names. */
const NAMED = 5

/** Places of pictures of a held-out set that are training pictures, too, byte for byte. */
export function duplicates(training: DigestedSet, heldOut: DigestedSet): number[] {
  const known = new Set(training.digests)
  return heldOut.digests.flatMap((digest, place) => (known.has(digest) ? [place] : []))
}

/** How many pictures two sets share, with examples. */
export function duplicatesText(training: DigestedSet, heldOut: DigestedSet, places: readonly number[]): string {
  const nameOf = ({ set, digests }: DigestedSet, place: number) =>
    set.files?.[place] ?? `picture ${place} of ${digests.length}`
  const examples = places.slice(0, NAMED).map((place) => {
    const other = training.digests.indexOf(heldOut.digests[place])
    return `${nameOf(heldOut, place)} is ${nameOf(training, other)}`
  })
  const more = places.length > NAMED ? ` and ${places.length - NAMED} more` : ''
  const [all, are] = [heldOut.digests.length, places.length === 1 ? 'is' : 'are']
  return (
    `${places.length} of ${all} pictures of ${heldOut.set.name} ${are} in the training set ${training.set.name}, too ` +
    `(${examples.join('; ')}${more})`
  )
}
