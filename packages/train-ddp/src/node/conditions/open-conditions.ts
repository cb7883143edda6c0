import { elementsOf, type StoredArray, toFloat32 } from '@dit/checkpoint'
import { type FileSource, openFileSource, openSafetensorsFile } from '@dit/checkpoint/node'
import type { BatchArray } from '../../batch.js'
import { ConditionsError } from './conditions-error.js'
import { bytesOf, copyRows } from './copy-rows.js'
import { metadataOf } from './metadata.js'
import { type Entries, isIntegers, LENGTH, type StoredCondition, storedConditions } from './stored-conditions.js'

/** How the file is called that lies in the root of a folder of pictures, or of latents of `dit encode`. */
export const CONDITIONS_FILE = 'conditions.safetensors'

/** A file of conditions, open until it is closed. Labels and lengths are in memory, other numbers are read row by row. */
export interface ConditionsFile {
  readonly path: string
  /** Rows, each for one picture. */
  readonly length: number
  /** The path of each row's picture in the folder, `/` between its parts; null where the file does not say. */
  readonly files: readonly string[] | null
  /** What it holds, in the order of its tensors. */
  readonly conditions: readonly StoredCondition[]
  /**
   * The row of each picture. Rows of pictures that are not asked for are passed over.
   *
   * @param files paths in the folder, with `/` or `\` between their parts
   * @throws ConditionsError where the file does not say which pictures its rows are for, or has no row for one of these
   */
  rowsOf(files: readonly string[]): Uint32Array
  /**
   * Rows of conditions as arrays of a batch: `<name>`, and `<name>.length` for tokens. Half precision and float8 are widened, float64 is
   * rounded to the nearest. What lies behind an example's length is not read into it: zeros.
   *
   * @throws ConditionsError for a condition that the file does not have, or numbers that are not finite; RangeError for a row that there is not
   */
  read(names: readonly string[], rows: ArrayLike<number>): Promise<Record<string, BatchArray>>
  /**
   * Checks that conditions of a network can be read from it; those of its configuration serve.
   *
   * @throws ConditionsError that names the condition: one that is missing, or of another kind or size, a class that the network does not know,
   *   or more tokens than it takes
   */
  requireFit(specs: readonly StoredCondition[]): void
  /**
   * Writes rows into another file, in the order given and as they are stored, with their files and the classes of labels. A row may stand
   * there several times unless the file says which pictures rows are for.
   *
   * @throws ConditionsError where this file was cut short; Error with a `code` of the system
   */
  copyTo(path: string, rows: ArrayLike<number>): Promise<void>
  /** Closes the file; harmless when repeated. */
  close(): Promise<void>
}

/**
 * Opens a file of conditions: safetensors, tensors by the names of conditions, with a row for each picture.
 *
 * - integers `[n]`: a label. Its classes are one more than the largest, or what the metadata `classes` say, a JSON object such as `{"style": 10}`
 * - floating-point numbers `[n, size]`: a vector
 * - floating-point numbers `[n, M, size]`: tokens, with integers `<name>.length` `[n]` in 0 .. M
 *
 * The metadata `files` say which picture each row is for: a JSON list of paths in the folder, `/` between their parts.
 *
 * @throws ConditionsError that names the tensor: a wrong dtype or shape, a negative label, a length that is negative or above M, metadata that
 *   do not fit; SafetensorsError for a damaged file; Error with a `code` of the system
 *
 * @example
 * const pictures = await openImageFolder('photos', { size: 64 })
 * const told = await openConditions('photos/conditions.safetensors')
 * const rows = told.rowsOf(pictures.files)
 * const { caption } = await told.read(['caption'], indices.map((index) => rows[index]))
 */
export async function openConditions(path: string): Promise<ConditionsFile> {
  const fail = (text: string): never => {
    throw new ConditionsError(`${path}: ${text}`)
  }
  const { entries, integers, metadata } = await readHead(path, fail)
  const { files, classes } = metadataOf(metadata, fail)
  const largest = new Map([...integers].map(([name, values]) => [name, values.reduce((a, b) => Math.max(a, b), -1)]))
  const conditions = storedConditions(entries, classes, (name) => largest.get(name)!, fail)
  const [{ shape }] = entries.values()
  const [length] = shape
  if (files !== null && files.length !== length) {
    fail(`the metadata "files" must name a picture for each of ${length} rows (got ${files.length})`)
  }
  const nameOfRow = (row: number) => (files === null ? `row ${row}` : files[row])
  checkIntegers({ conditions, integers, nameOfRow, fail })
  const source = await openFileSource(path)
  const rowOf = files === null ? null : new Map(files.map((file, row) => [file, row]))
  return {
    path,
    length,
    files,
    conditions,
    rowsOf(wanted) {
      if (rowOf === null || files === null) {
        return fail('it must say which pictures its rows are for, with the metadata "files", a JSON list of paths')
      }
      const rows = wanted.map((file) => rowOf.get(file) ?? rowOf.get(file.replaceAll('\\', '/')) ?? -1)
      const missing = wanted.filter((_, i) => rows[i] < 0)
      if (missing.length > 0) {
        const more = missing.length === 1 ? '' : `, nor for ${missing.length - 1} more`
        fail(`it has no row for ${missing[0]}${more} (its files begin with ${files[0] ?? 'none'})`)
      }
      return Uint32Array.from(rows)
    },
    async read(names, rows) {
      const wrong = Array.from(rows).find((row) => !(Number.isInteger(row) && row >= 0 && row < length))
      if (wrong !== undefined) throw new RangeError(`${path}: rows must be in 0..${length - 1} (got ${wrong})`)
      const arrays: Record<string, BatchArray> = {}
      for (const name of names) {
        const condition = conditionOf(name)
        if (condition.kind === 'label') {
          arrays[name] = { data: chosen(integers.get(name)!, rows), shape: [] }
          continue
        }
        const lengths = condition.kind === 'tokens' ? chosen(integers.get(name + LENGTH)!, rows) : null
        arrays[name] = await readRows({ source, entries, condition, rows, lengths, nameOfRow, fail })
        if (lengths !== null) arrays[name + LENGTH] = { data: lengths, shape: [] }
      }
      return arrays
    },
    requireFit(specs) {
      for (const spec of specs) {
        const own = conditionOf(spec.name)
        const isSame =
          own.kind === spec.kind && (own.kind === 'label' || own.size === (spec as { readonly size: number }).size)
        const [mine, most] = [own, spec].map(mostOf)
        if (isSame && mine <= most) continue
        fail(`${spec.name} must be ${described(spec)}, as the network takes it (got ${described(own)})`)
      }
    },
    copyTo: (target, rows) => copyRows(target, { source, entries, conditions, files, rows }),
    close: () => source.close(),
  }

  function conditionOf(name: string): StoredCondition {
    const found = conditions.find((condition) => condition.name === name)
    return found ?? fail(`there is no condition ${name} (there are: ${conditions.map((each) => each.name).join(', ')})`)
  }
}

/** Tensors by name, all integers among them, and metadata. */
async function readHead(path: string, fail: (text: string) => never) {
  const file = await openSafetensorsFile(path)
  try {
    const [foreign] = file.foreign
    if (foreign !== undefined) fail(`${foreign[0]} is of the dtype ${foreign[1].dtype}, which is not read`)
    const integers = new Map<string, Int32Array>()
    for (const [name, entry] of file.entries) {
      if (isIntegers(entry)) integers.set(name, asInt32(name, await file.tensor(name), fail))
    }
    return { entries: file.entries, integers, metadata: file.metadata }
  } finally {
    await file.close()
  }
}

function asInt32(name: string, { data }: StoredArray, fail: (text: string) => never): Int32Array {
  if (data instanceof Int32Array) return data
  return Int32Array.from(data as ArrayLike<number | bigint>, (value, i) => {
    const number = Number(value)
    return number === (number | 0) ? number : fail(`${name} must be in the range of int32 (number ${i} is ${value})`)
  })
}

/** Throws for a negative label, and for a length that is negative or above M. */
function checkIntegers({
  conditions,
  integers,
  nameOfRow,
  fail,
}: {
  readonly conditions: readonly StoredCondition[]
  readonly integers: ReadonlyMap<string, Int32Array>
  readonly nameOfRow: (row: number) => string
  readonly fail: (text: string) => never
}): void {
  for (const condition of conditions) {
    const { name, kind } = condition
    if (kind === 'vector') continue
    const tensor = kind === 'label' ? name : name + LENGTH
    const most = kind === 'label' ? Infinity : condition.most
    const values = integers.get(tensor)!
    const wrong = values.findIndex((value) => value < 0 || value > most)
    if (wrong < 0) continue
    const must = kind === 'label' ? '0 or more' : `in 0..${most}, the tokens that there are`
    fail(`${tensor} must be ${must} (${nameOfRow(wrong)} has ${values[wrong]})`)
  }
}

interface RowsToRead {
  readonly source: FileSource
  readonly entries: Entries
  readonly condition: Exclude<StoredCondition, { kind: 'label' }>
  readonly rows: ArrayLike<number>
  readonly lengths: Int32Array | null
  readonly nameOfRow: (row: number) => string
  readonly fail: (text: string) => never
}

async function readRows({
  source,
  entries,
  condition,
  rows,
  lengths,
  nameOfRow,
  fail,
}: RowsToRead): Promise<BatchArray> {
  const { name, size } = condition
  const shape = condition.kind === 'tokens' ? [condition.most, size] : [size]
  const each = condition.kind === 'tokens' ? condition.most * size : size
  const { dtype, shape: stored, byteOffset, byteLength } = entries.get(name)!
  const itemBytes = byteLength / (stored[0] * each)
  const data = new Float32Array(rows.length * each)
  const readRow = async (row: number, i: number) => {
    const count = lengths === null ? each : lengths[i] * size
    if (count === 0) return
    const start = byteOffset + row * each * itemBytes
    const end = start + count * itemBytes
    const bytes = await bytesOf(source, start, end)
    const values = toFloat32(elementsOf({ dtype, shape: [count] }, bytes))
    const wrong = values.findIndex((value) => !Number.isFinite(value))
    if (wrong >= 0) fail(`${name} must be finite (number ${wrong} of ${nameOfRow(row)} is ${values[wrong]})`)
    data.set(values, i * each)
  }
  await Promise.all(Array.from(rows, readRow))
  return { data, shape }
}

function chosen(values: Int32Array, rows: ArrayLike<number>): Int32Array {
  return Int32Array.from(rows, (row) => values[row])
}

/** What may be less in a file than in a network: classes, and tokens. */
function mostOf(condition: StoredCondition): number {
  return condition.kind === 'label' ? condition.classes : condition.kind === 'tokens' ? condition.most : 0
}

function described(condition: StoredCondition): string {
  if (condition.kind === 'label') return `a label of ${condition.classes} classes`
  if (condition.kind === 'vector') return `a vector of ${condition.size} numbers`
  return `at most ${condition.most} tokens of ${condition.size} numbers`
}
