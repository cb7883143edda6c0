import { extname } from 'node:path'
import { isOtherPictureName } from './file-kinds.js'

/** Files of a kind that a folder's reader has passed over. */
export interface LeftOut {
  /** suffix in lower case, such as `.txt`, or words: `without suffix`, `hidden`, `outside the class folders` */
  readonly kind: string
  readonly count: number
  /** they are pictures, of a kind that is not decoded or in a place that does not count */
  readonly isPicture: boolean
}

/** Counts files that are passed over. */
export interface Tally {
  /** a file, by its suffix */
  add(name: string): void
  /** a picture that its place or name keeps out */
  addPicture(kind: 'hidden' | 'outside the class folders'): void
  /** a file of a sample, by what its name has after the key */
  addField(field: string): void
  /** what is no file */
  addKind(kind: string, isPicture: boolean): void
  /** pictures first, then by count */
  list(): LeftOut[]
}

/** Kinds that are told apart: a file may have any suffix. */
const MAX_KINDS = 64

export function tally(): Tally {
  const counts = new Map<string, { kind: string; count: number; isPicture: boolean }>()
  const count = (name: string, isPicture: boolean) => {
    const kind = counts.has(name) || counts.size < MAX_KINDS ? name : 'of other kinds'
    const found = counts.get(kind) ?? { kind, count: 0, isPicture }
    found.count++
    counts.set(kind, found)
  }
  return {
    add: (name) => count(extname(name).toLowerCase() || 'without suffix', isOtherPictureName(name)),
    addPicture: (kind) => count(kind, true),
    addField: (field) => count(`.${field}`, isOtherPictureName(`.${field}`)),
    addKind: (kind, isPicture) => count(kind, isPicture),
    list: () =>
      [...counts.values()].toSorted(
        (a, b) => Number(b.isPicture) - Number(a.isPicture) || b.count - a.count || (a.kind < b.kind ? -1 : 1),
      ),
  }
}
