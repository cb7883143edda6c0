import type { Dataset } from '@dit/data'
import type { Pictures } from '@dit/features'
import type { SetDescription } from '../evaluation.js'
import { checkPictures, takePictures, toBytes } from './check-pictures.js'

/** Pictures in memory that may know their classes. */
export interface LabelledPictures extends Pictures {
  /** `[count]`, indices into `classNames`. */
  readonly labels?: Int32Array
  readonly classNames?: readonly string[]
}

/** Pictures that are there: a data set, pictures in memory, or pictures that come in pieces. */
export type PictureSource = Dataset | LabelledPictures | AsyncIterable<LabelledPictures>

/** How results name a set. */
export interface SetName {
  readonly name?: string
  readonly kind?: SetDescription['kind']
  /** File of each picture. */
  readonly files?: readonly string[]
}

/** Pictures of one part of a set. */
export interface Part {
  readonly number: number
  readonly pictures: Pictures
}

/** Pictures cut into parts, which can be read in any order and by several workers. */
export interface PictureSet {
  readonly name: string
  readonly kind: SetDescription['kind']
  readonly files: readonly string[] | null
  readonly classNames: readonly string[]
  readonly labels: Int32Array | null
  readonly count: number
  readonly size: readonly [height: number, width: number]
  readonly partSize: number
  /** Parts by their numbers, in any order. */
  readParts(numbers: readonly number[]): AsyncIterable<Part>
  /** Some pictures, by their places. */
  read(indices: ArrayLike<number>): Promise<Pictures>
}

/** Pictures that are read at a time. */
const PART = 256

/**
 * Pictures as a set of parts. What comes in pieces is kept in memory.
 *
 * @throws RangeError for pictures of two sizes, or that are not RGB; TypeError for what is no pictures
 */
export async function pictureSet(
  source: PictureSource,
  fallback: string,
  { name = fallback, kind, files }: SetName = {},
  signal?: AbortSignal,
): Promise<PictureSet> {
  const named = { name, files: files ?? null }
  if (isDataset(source)) return ofDataset(source, { ...named, kind: kind ?? 'dataset' }, signal)
  const pictures = isIterable(source) ? await gather(source, name, signal) : source
  if (!('pixels' in Object(pictures))) {
    throw new TypeError(`evaluate: ${name} must be a data set, pictures or a stream of pictures`)
  }
  return ofPictures(pictures, { ...named, kind: kind ?? 'dataset' })
}

/** Numbers of all parts. */
export function partNumbers({ count, partSize }: Pick<PictureSet, 'count' | 'partSize'>): number[] {
  return Array.from({ length: Math.ceil(count / partSize) }, (_, number) => number)
}

/** Pictures of each class; null where classes are not known. */
export function classCounts({ labels, classNames }: Pick<PictureSet, 'labels' | 'classNames'>): number[] | null {
  if (labels === null) return null
  const counts = classNames.map(() => 0)
  for (const label of labels) counts[label]++
  return counts
}

type Names = Pick<PictureSet, 'name' | 'kind' | 'files'>

async function ofDataset(dataset: Dataset, names: Names, signal?: AbortSignal): Promise<PictureSet> {
  const { length: count, classes, shape } = dataset
  const [, height, width] = shape
  if (count < 1) throw new RangeError(`evaluate: ${names.name} has no pictures`)
  const read = async (indices: ArrayLike<number>) => {
    const { x0 } = await dataset.read(indices, { signal })
    return toBytes(x0, shape, names.name)
  }
  return {
    ...names,
    classNames: classes,
    // Without names of classes there are none.
    labels: classes.length === 0 ? null : (dataset.labels?.() ?? (await readLabels(dataset))),
    count,
    size: [height, width],
    partSize: PART,
    async *readParts(numbers) {
      for (const number of numbers) yield { number, pictures: await read(placesOf(number, PART, count)) }
    },
    read,
  }
}

async function readLabels(dataset: Dataset): Promise<Int32Array> {
  const labels = new Int32Array(dataset.length)
  for (let start = 0; start < labels.length; start += PART) {
    const { labels: some } = await dataset.read(placesOf(start / PART, PART, labels.length))
    labels.set(some, start)
  }
  return labels
}

function ofPictures(pictures: LabelledPictures, names: Names): PictureSet {
  checkPictures('evaluate', names.name, pictures)
  const { count, height, width, labels = null, classNames } = pictures
  if (labels !== null && labels.length !== count) {
    throw new RangeError(
      `evaluate: ${names.name} must have a label for each of ${count} pictures (got ${labels.length})`,
    )
  }
  const known = labels === null ? [] : (classNames ?? numbered(labels))
  const wrong = labels?.find((label) => !(Number.isInteger(label) && label >= 0 && label < known.length))
  if (wrong !== undefined)
    throw new RangeError(`evaluate: labels of ${names.name} must be in 0..${known.length - 1} (got ${wrong})`)
  return {
    ...names,
    classNames: known,
    labels,
    count,
    size: [height, width],
    partSize: PART,
    async *readParts(numbers) {
      for (const number of numbers) yield { number, pictures: takePictures(pictures, placesOf(number, PART, count)) }
    },
    read: async (indices) => takePictures(pictures, indices),
  }
}

function numbered(labels: Int32Array): string[] {
  const most = labels.reduce((a, b) => Math.max(a, b), 0)
  return Array.from({ length: most + 1 }, (_, label) => `class ${label}`)
}

/** Places of the pictures of a part. */
export function placesOf(number: number, partSize: number, count: number): Uint32Array {
  const first = number * partSize
  return Uint32Array.from({ length: Math.min(partSize, count - first) }, (_, i) => first + i)
}

async function gather(
  stream: AsyncIterable<LabelledPictures>,
  name: string,
  signal?: AbortSignal,
): Promise<LabelledPictures> {
  const pieces: LabelledPictures[] = []
  for await (const piece of stream) {
    signal?.throwIfAborted()
    checkPictures('evaluate', name, piece)
    const [first] = pieces
    if (first !== undefined && (first.height !== piece.height || first.width !== piece.width)) {
      throw new RangeError(
        `evaluate: pictures of ${name} must have one size; they have ${first.height} x ${first.width} and ${piece.height} x ${piece.width}`,
      )
    }
    pieces.push(piece)
  }
  if (pieces.length === 0) throw new RangeError(`evaluate: ${name} has no pictures`)
  const { height, width, classNames } = pieces[0]
  const count = pieces.reduce((sum, piece) => sum + piece.count, 0)
  const pixels = new Uint8Array(count * height * width * 3)
  const labels = new Int32Array(count)
  let at = 0
  for (const piece of pieces) {
    pixels.set(piece.pixels, at * height * width * 3)
    labels.set(piece.labels ?? [], at)
    at += piece.count
  }
  const isLabelled = pieces.every((piece) => piece.labels !== undefined)
  return { count, height, width, pixels, ...(isLabelled ? { labels, classNames } : {}) }
}

function isDataset(source: object): source is Dataset {
  return 'read' in source && 'shape' in source
}

function isIterable(source: object): source is AsyncIterable<LabelledPictures> {
  return Symbol.asyncIterator in source
}
