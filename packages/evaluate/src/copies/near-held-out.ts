import type { Memorisation } from '../evaluation.js'

/** Root mean square of differences of bytes below which two pictures are one: another compression changes about 3. */
const SAME = 4

/** Examples that are named. */
const NAMED = 3

/** Distances of held-out pictures to their nearest training pictures, and what is told of them. */
export interface HeldOutDistances {
  readonly distances: Float64Array
  /** Numbers of a row. */
  readonly width: number
  readonly space: Memorisation['space']
  /** Of the pictures, in the same order; null where they have none. */
  readonly files: readonly string[] | null
}

/**
 * A warning where held-out pictures are training pictures in other bytes, such as compressed anew or mirrored: they make the threshold so
 * near that copies pass it unseen. Null where there are none.
 *
 * Between features only equal ones tell.
 */
export function nearHeldOut({ distances, width, space, files }: HeldOutDistances): string | null {
  const limit = space === 'pixels' ? SAME * Math.sqrt(width) : 0
  const places = Array.from(distances.keys()).filter((place) => distances[place] <= limit)
  if (places.length === 0) return null
  const [are, them] = places.length === 1 ? ['is', 'it'] : ['are', 'them']
  const names = files === null ? [] : places.slice(0, NAMED).map((place) => files[place])
  const examples = names.length === 0 ? '' : ` (${names.join(', ')}${places.length > names.length ? ', ...' : ''})`
  return (
    `${places.length} of ${distances.length} held-out pictures${examples} ${are} nearly the same as training pictures, such as compressed ` +
    `anew or mirrored: copies by the model are found less well beside ${them}, so take ${them} out of one of both`
  )
}
