import { permutation, randomStream } from '@dit/random'
import type { Dataset } from './dataset.js'

/** A dataset in two parts without a picture in common. */
export interface SplitDataset {
  readonly train: Dataset
  /** Classes in turn, so that its first pictures are of all classes. */
  readonly heldOut: Dataset
}

/** Options of `splitDataset`. */
export interface SplitOptions {
  /** of each class that is held out, above 0 and below 1; at least one picture of each class that has two */
  readonly share: number
  /** another seed holds other pictures out (default 0) */
  readonly seed?: number
}

/** How many pictures are read at once to learn their classes, where a dataset does not tell them. */
const READ_AT_ONCE = 256

/**
 * Holds a share of each class out. Which pictures follows from the order of the dataset, the share and the seed alone.
 *
 * @throws RangeError when the share is out of range, or no class has two pictures
 *
 * @example
 * const { train, heldOut } = await splitDataset(dataset, { share: 0.1 })
 */
export async function splitDataset(dataset: Dataset, { share, seed = 0 }: SplitOptions): Promise<SplitDataset> {
  if (!(share > 0 && share < 1)) throw new RangeError(`splitDataset: share must be above 0 and below 1 (got ${share})`)
  const members: number[][] = dataset.classes.map(() => [])
  for (const [index, label] of (await labelsOf(dataset)).entries()) members[label].push(index)
  const train: number[] = []
  const held: number[][] = []
  for (const [label, indices] of members.entries()) {
    const order = permutation(randomStream(seed, 'held-out', label), indices.length)
    const count = indices.length < 2 ? 0 : Math.min(indices.length - 1, Math.max(1, Math.floor(share * indices.length)))
    held.push(Array.from(order.subarray(0, count), (place) => indices[place]))
    for (const place of order.subarray(count)) train.push(indices[place])
  }
  const longest = Math.max(0, ...held.map(({ length }) => length))
  if (longest === 0) throw new RangeError('splitDataset: every class has one picture or none; nothing can be held out')
  const inTurn = Array.from({ length: longest }, (_, i) => held.flatMap((of) => of.slice(i, i + 1))).flat()
  return {
    train: subset(
      dataset,
      train.toSorted((a, b) => a - b),
    ),
    heldOut: subset(dataset, inTurn),
  }
}

/**
 * Some pictures of a dataset, in the order given. Closing it closes the whole dataset.
 *
 * @throws RangeError when an index is out of range
 */
export function subset(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  const chosen = Uint32Array.from(indices)
  const wrong = Array.from(indices).find((index) => !(Number.isInteger(index) && index >= 0 && index < dataset.length))
  if (wrong !== undefined) throw new RangeError(`subset: indices must be in 0..${dataset.length - 1} (got ${wrong})`)
  const { classes, shape } = dataset
  return {
    length: chosen.length,
    classes,
    shape,
    read: (of, options) =>
      dataset.read(
        Uint32Array.from(of, (index) => chosen[index]),
        options,
      ),
    ...(dataset.labels === undefined ? {} : { labels: () => chosenOf(dataset.labels!(), chosen) }),
    ...(dataset.close === undefined ? {} : { close: () => dataset.close!() }),
  }
}

function chosenOf(all: Int32Array, indices: Uint32Array): Int32Array {
  return Int32Array.from(indices, (index) => all[index])
}

async function labelsOf(dataset: Dataset): Promise<Int32Array> {
  if (dataset.labels !== undefined) return dataset.labels()
  const labels = new Int32Array(dataset.length)
  for (let start = 0; start < dataset.length; start += READ_AT_ONCE) {
    const length = Math.min(READ_AT_ONCE, dataset.length - start)
    const batch = await dataset.read(Uint32Array.from({ length }, (_, i) => start + i))
    labels.set(batch.labels, start)
  }
  return labels
}
