import type { SafetensorsEntry } from '@dit/checkpoint'

/** What a file says of a condition: its name, its kind and its sizes. A `ConditionSpec` of @dit/model without its dropout. */
export type StoredCondition =
  | { readonly name: string; readonly kind: 'label'; readonly classes: number }
  | { readonly name: string; readonly kind: 'vector'; readonly size: number }
  | { readonly name: string; readonly kind: 'tokens'; readonly size: number; readonly most: number }

/** Ends the name of the tensor with the lengths of tokens: `caption.length`. */
export const LENGTH = '.length'

/** A tensor of the file that is a condition, or the lengths of one. */
export type Entries = ReadonlyMap<string, SafetensorsEntry>

/** What batches call the pictures. */
const TAKEN = 'x0'

/**
 * The conditions of a file by the dtypes and shapes of its tensors.
 *
 * - integers `[n]`: a label; `classes` is what `told` says, or one more than the largest
 * - floats `[n, size]`: a vector
 * - floats `[n, M, size]`, with integers `<name>.length` `[n]`: tokens, `most` is M
 *
 * @param entries tensors by name
 * @param told    classes of labels by name, from the file's metadata
 * @param largest of the integers of a label; -1 where there are none
 * @param fail    throws, with a text that begins with a name
 */
export function storedConditions(
  entries: Entries,
  told: ReadonlyMap<string, number>,
  largest: (name: string) => number,
  fail: (text: string) => never,
): readonly StoredCondition[] {
  const names = [...entries.keys()]
  const length = entries.get(names[0])?.shape[0]
  if (length === undefined) fail(names.length === 0 ? 'there is no tensor in it' : `${names[0]} has no rows (shape [])`)
  for (const [name, { shape }] of entries) {
    if (shape[0] === length) continue
    fail(
      `every tensor must have a row for each picture, but ${names[0]} has ${length} and ${name} ${shape[0] ?? 'none'}`,
    )
  }
  for (const name of told.keys()) {
    if (!isIntegers(entries.get(name))) fail(`the metadata "classes" name ${name}, which is no label of the file`)
  }
  return names.flatMap((name) => {
    const owner = name.endsWith(LENGTH) ? name.slice(0, -LENGTH.length) : null
    if (owner === null) return [conditionOf(name)]
    if (entries.get(owner)?.shape.length !== 3)
      fail(`${name} has the lengths of tokens, but there are no tokens ${owner}`)
    return []
  })

  function conditionOf(name: string): StoredCondition {
    const entry = entries.get(name)!
    const shape = `${entry.dtype} [${entry.shape.join(', ')}]`
    if (name === TAKEN) fail(`no condition can be called ${TAKEN}, the name of the pictures in a batch`)
    if (!/^[a-z]\w*$/i.test(name)) {
      fail(
        `${JSON.stringify(name)} is no name of a condition: it must begin with a letter, then letters, digits and underscores`,
      )
    }
    if (isIntegers(entry)) {
      if (entry.shape.length !== 1) fail(`${name} is of integers, a label, and must be [n] (got ${shape})`)
      const classes = told.get(name) ?? largest(name) + 1
      if (largest(name) >= classes) {
        fail(`${name} must be classes in 0..${classes - 1}, as the metadata say (the largest is ${largest(name)})`)
      }
      return { name, kind: 'label', classes: Math.max(1, classes) }
    }
    if (!isFloats(entry)) fail(`${name} must be of integers or floating-point numbers (got ${shape})`)
    if (entry.shape.includes(0)) fail(`${name} must have numbers in every row (got ${shape})`)
    if (entry.shape.length === 2) return { name, kind: 'vector', size: entry.shape[1] }
    if (entry.shape.length !== 3)
      fail(`${name} must be [n, size] for a vector, or [n, M, size] for tokens (got ${shape})`)
    const lengths = entries.get(name + LENGTH)
    if (!isIntegers(lengths) || lengths?.shape.length !== 1) {
      const came = lengths === undefined ? 'no such tensor' : `${lengths.dtype} [${lengths.shape.join(', ')}]`
      fail(`${name} is of tokens (${shape}) and needs ${name}${LENGTH}, integers [n] (got ${came})`)
    }
    return { name, kind: 'tokens', size: entry.shape[2], most: entry.shape[1] }
  }
}

export function isIntegers(entry: Pick<SafetensorsEntry, 'dtype'> | undefined): boolean {
  return entry !== undefined && /^[IU]\d+$/.test(entry.dtype)
}

function isFloats({ dtype }: Pick<SafetensorsEntry, 'dtype'>): boolean {
  return dtype === 'BF16' || dtype.startsWith('F')
}
