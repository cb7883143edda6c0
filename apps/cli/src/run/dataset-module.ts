import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Batch, Dataset } from '@dit/data'
import { messageOf, UsageError } from '../terminal/errors.js'
import { howToInstall, placeIn } from './objective-module.js'

/** What the function of a module is told. */
export interface DatasetContext {
  /** Side of the square pictures that `--size` asks for. */
  readonly size: number
}

/** Pictures whose contents say whether a module still makes the same ones. */
const COMPARED = 16

/** Whether a path has the ending of a JavaScript module. */
export function hasModuleEnding(path: string): boolean {
  return /\.[cm]?js$/i.test(path)
}

/** Whether `--data` names a JavaScript module that makes pictures, rather than a folder or shards. */
export async function namesDatasetModule(data: string): Promise<boolean> {
  return hasModuleEnding(data) && (await stat(data).catch(() => null))?.isDirectory() !== true
}

/** Pictures that a module makes, and what identifies them. */
export interface DatasetModule {
  readonly dataset: Dataset
  /** Absolute. */
  readonly module: string
  /** SHA-256 over the classes and some of the pictures. */
  readonly pictures: string
}

/**
 * Imports a module that exports `dataset`, a `Dataset` of `@dit/data` or a function that returns one.
 *
 * @throws UsageError where it cannot be imported, or what it exports is no data set of RGB pictures of this size
 */
export async function openDatasetModule(data: string, { size }: DatasetContext): Promise<DatasetModule> {
  const module = resolve(data)
  const who = `--data ${data}`
  const refuse = (what: string, cause?: unknown): never => {
    throw new UsageError(`${who}: ${what}${cause === undefined ? '' : placeIn(module, cause)}`, { cause })
  }
  if ((await stat(module).catch(() => null)) === null) refuse('there is no such file')
  const exported = (await import(pathToFileURL(module).href).catch((cause: unknown) =>
    refuse(`cannot import the module: ${messageOf(cause)}${howToInstall(cause)}`, cause),
  )) as { readonly dataset?: unknown }
  if (exported.dataset === undefined) {
    refuse(
      `the module must export \`dataset\`, a Dataset of @dit/data or a function that returns one (it exports ${Object.keys(exported).join(', ') || 'nothing'})`,
    )
  }
  let dataset: unknown = exported.dataset
  try {
    if (typeof dataset === 'function') dataset = await dataset({ size } satisfies DatasetContext)
  } catch (cause) {
    refuse(`dataset failed: ${messageOf(cause)}`, cause)
  }
  const wrong = faultOf(dataset, size)
  if (wrong !== null) refuse(wrong)
  return { dataset: dataset as Dataset, module, pictures: await digest(who, module, dataset as Dataset) }
}

/** What is wrong with a data set; null where nothing is. */
function faultOf(value: unknown, size: number): string | null {
  const { length, classes, shape, read } = (value ?? {}) as Partial<Dataset>
  if (!Number.isSafeInteger(length) || length! < 1)
    return `dataset.length must be a positive whole number (got ${length})`
  if (!Array.isArray(classes) || classes.length === 0 || classes.some((name) => typeof name !== 'string'))
    return `dataset.classes must be a list of names (got ${JSON.stringify(classes)})`
  if (JSON.stringify(shape) !== JSON.stringify([3, size, size]))
    return `dataset.shape must be [3, ${size}, ${size}] for --size ${size} (got ${JSON.stringify(shape)})`
  if (typeof read !== 'function') return 'dataset must have a function read(indices, options)'
  return null
}

/** Reads some pictures, spread over all, twice: they must be pictures, and the same ones. */
async function digest(who: string, module: string, dataset: Dataset): Promise<string> {
  const { length, classes } = dataset
  const count = Math.min(COMPARED, length)
  const indices = Uint32Array.from({ length: count }, (_, i) => Math.floor((i * length) / count))
  const [first, second] = [await some(who, module, dataset, indices), await some(who, module, dataset, indices)]
  if (first !== second) {
    throw new UsageError(
      `${who}: dataset.read gives other pictures for the same indices; draw them from the index alone, with randomStream of @dit/random, or no run can be repeated`,
    )
  }
  return createHash('sha256').update(JSON.stringify(classes)).update(first).digest('hex')
}

async function some(who: string, module: string, dataset: Dataset, indices: Uint32Array): Promise<string> {
  const { x0, labels } = await dataset.read(indices).catch((cause: unknown): never => {
    throw new UsageError(`${who}: dataset.read failed: ${messageOf(cause)}${placeIn(module, cause)}`, { cause })
  })
  const wrong = faultOfBatch({ x0, labels }, dataset, indices.length)
  if (wrong !== null) throw new UsageError(`${who}: dataset.read must give ${wrong}`)
  return createHash('sha256').update(bytes(x0)).update(bytes(labels)).digest('hex')
}

function faultOfBatch({ x0, labels }: Batch, { classes, shape }: Dataset, count: number): string | null {
  const values = count * shape[0] * shape[1] * shape[2]
  if (!(x0 instanceof Float32Array) || x0.length !== values)
    return `x0 as a Float32Array of ${values} values for ${count} pictures (got ${describe(x0)})`
  const stray = x0.find((value) => !(value >= -1 && value <= 1))
  if (stray !== undefined) return `values from -1 to 1 (got ${stray})`
  if (!(labels instanceof Int32Array) || labels.length !== count)
    return `labels as an Int32Array of ${count} classes (got ${describe(labels)})`
  const other = labels.find((label) => label < 0 || label >= classes.length)
  return other === undefined ? null : `labels from 0 to ${classes.length - 1} (got ${other})`
}

function describe(value: unknown): string {
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${(value as Float32Array).length}`
  return value === null ? 'null' : typeof value
}

function bytes({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
