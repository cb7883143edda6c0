import { type OpenModel, shortName } from '@dit/pipeline'
import { someOf } from '../run/folder-words.js'
import { formatCount } from '../terminal/format.js'

/** Which label rows of a model the classes of new data take. */
export interface MatchedClasses {
  /** For each class of the data, the label of the model; null for a new one. */
  readonly rows: readonly (number | null)[]
  /** What became of them, in lines for the user; empty where nothing changed. */
  readonly changes: readonly string[]
}

/**
 * Finds the classes of new data among those of a model, by their names. Where the model has only numbers, rows are taken by number if
 * there are as many, since then it is likely to be the same data.
 *
 * @param newRows what new rows begin as
 */
export function matchClasses(
  model: Pick<OpenModel, 'from' | 'names'>,
  classes: readonly string[],
  newRows: 'mean' | 'normal',
): MatchedClasses {
  const { from, names } = model
  const isNumbered = from === 'numbers' && !classes.every((name) => names.includes(name))
  if (isNumbered && classes.length === names.length) {
    return {
      rows: classes.map((_, label) => label),
      changes: [`the weights do not name their ${names.length} classes: label rows are taken in their order`],
    }
  }
  const known = new Map<string, number>()
  names.forEach((name, label) => {
    for (const spelled of [name, shortName(model, label)]) {
      const key = spelled.normalize('NFC')
      if (!known.has(key)) known.set(key, label)
    }
  })
  const rows = classes.map((name) => known.get(name.normalize('NFC')) ?? null)
  const isSame = rows.length === names.length && rows.every((row, label) => row === label)
  if (isSame) return { rows, changes: [] }
  const found = classes.filter((_, label) => rows[label] !== null)
  const added = classes.filter((_, label) => rows[label] === null)
  const taken = new Set(rows)
  const left = names.filter((_, label) => !taken.has(label))
  const begin = newRows === 'mean' ? 'the mean of the old ones' : 'normal draws of deviation 0.02'
  return {
    rows,
    changes: [
      ...(found.length > 0 ? [`${count(found.length, 'class', 'classes')} found by name: ${someOf(found)}`] : []),
      ...(added.length > 0
        ? [`${count(added.length, 'new class', 'new classes')}: ${someOf(added)}; their label rows begin as ${begin}`]
        : []),
      ...(left.length > 0
        ? [`${count(left.length, 'class', 'classes')} of the weights left out: ${someOf(left)}`]
        : []),
    ],
  }
}

function count(number: number, one: string, many: string): string {
  return `${formatCount(number)} ${number === 1 ? one : many}`
}
