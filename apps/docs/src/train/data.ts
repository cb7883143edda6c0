import { batchIndices, type Dataset, shapesDataset, splitDataset, spritesDataset } from '@dit/data'
import { type BatchSource, pictureBatch, type TrainBatch } from '@dit/train-ddp'
import { FEWEST_PICTURES, PAGE_RECIPE, type PagePictures, type PageSettings } from './settings.js'

/** What a training reads: batches, and pictures that it never sees. */
export interface PageBatches {
  readonly source: BatchSource
  readonly heldOut: () => Promise<readonly TrainBatch[]>
}

/** Pictures that are held out of generated ones, and at most so many of others. */
const HELD_OUT = 32
/** Unlike the training's 0. */
const UNSEEN_SEED = 1

/**
 * Opens the data of a training.
 *
 * @throws RangeError where there are too few pictures to hold any out
 */
export async function openPageData(settings: PageSettings, pictures: PagePictures | null): Promise<PageBatches> {
  const { train, heldOut } = await datasetsOf(settings, pictures)
  const { batchSize } = settings.run?.recipe ?? PAGE_RECIPE
  const isFlipped = settings.run?.flip === true
  const count = Math.min(HELD_OUT, heldOut.length)
  return {
    source: {
      async rows(step, start, end) {
        const { indices, flips } = batchIndices({ length: train.length, batchSize, seed: settings.seed, step })
        const mirrored = isFlipped ? { flips: flips.subarray(start, end) } : {}
        const { x0, labels } = await train.read(indices.subarray(start, end), mirrored)
        return pictureBatch(x0, labels, train.shape)
      },
    },
    async heldOut() {
      const { x0, labels } = await heldOut.read(Uint32Array.from({ length: count }, (_, i) => i))
      return [pictureBatch(x0, labels, heldOut.shape)]
    },
  }
}

async function datasetsOf({ data, size, seed, run }: PageSettings, pictures: PagePictures | null) {
  if (data !== 'pictures') {
    const open = data === 'shapes' ? shapesDataset : spritesDataset
    const all = open(run === undefined ? { size } : { size, length: run.length, seed: run.dataSeed })
    const share = run?.heldOutShare
    const train = share === undefined ? all : (await splitDataset(all, { share })).train
    return { train, heldOut: open({ size, length: HELD_OUT, seed: UNSEEN_SEED }) }
  }
  if (pictures === null) throw new RangeError('the pictures of this training are gone from the storage of the page')
  const all = picturesDataset(pictures, size)
  if (all.length < FEWEST_PICTURES)
    throw new RangeError(`give at least ${FEWEST_PICTURES} pictures (there are ${all.length})`)
  return splitDataset(all, { share: 0.1, seed })
}

/** A data set over pictures in memory. */
export function picturesDataset({ classes, labels, pixels }: PagePictures, size: number): Dataset {
  const area = 3 * size * size
  return {
    length: labels.length,
    classes,
    shape: [3, size, size],
    labels: () => labels,
    async read(indices) {
      const x0 = new Float32Array(indices.length * area)
      for (let row = 0; row < indices.length; row++) {
        const from = pixels.subarray(indices[row] * area, (indices[row] + 1) * area)
        for (let i = 0; i < area; i++) x0[row * area + i] = from[i] / 127.5 - 1
      }
      return { x0, labels: Int32Array.from(indices, (index) => labels[index]) }
    },
  }
}
