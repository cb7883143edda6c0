import { type Dataset, splitDataset } from '@dit/data'
import { heldOutMeasures, type Objective, type TrainBatch } from '@dit/train-ddp'
import { drawnBatches } from './drawn-batches.js'
import { isDenoising } from './own-objective.js'
import { trainBatch } from './train-batch.js'
import { UsageError } from '../terminal/errors.js'

/** Pictures that are not trained on, and how often the error on them is measured. */
export interface HeldOutConfig {
  /** Of the pictures of each class. */
  readonly share: number
  /** Steps between measurements. */
  readonly every: number
}

/** Held-out pictures that are measured at most: the error of more is hardly more certain, and takes longer. */
export const MOST_MEASURED = 256
/** Of them at a time. */
const AT_ONCE = 32

/** Held-out pictures that a measurement takes; 0 where none are held out. */
export function measuredPictures(heldOut: Pick<HeldOut, 'count'> | null): number {
  return Math.min(heldOut?.count ?? 0, MOST_MEASURED)
}

/** Pictures to train on, and what measures on the others. */
export interface HeldOut {
  readonly train: Dataset
  /** Pictures held out. */
  readonly count: number
  /** These pictures; classes in turn. */
  readonly pictures: Dataset
  readonly measures: ReturnType<typeof heldOutMeasures>
}

/**
 * Splits the pictures of a run.
 *
 * @throws UsageError where nothing can be held out, or the objective has no estimate of x0
 */
export async function holdOut(
  dataset: Dataset,
  objective: Objective,
  { share }: HeldOutConfig,
  isLatents: boolean,
): Promise<HeldOut> {
  if (!isDenoising(objective)) {
    throw new UsageError(
      '--val-share needs an objective made by `denoising`; others do not estimate the picture, so there is no error to measure',
    )
  }
  if (objective.process.prediction === 'previousX') {
    throw new UsageError(
      '--val-share measures the error of x0, which --predict previousX does not estimate; use another --predict',
    )
  }
  try {
    const { train, heldOut } = await splitDataset(dataset, { share })
    const measures = heldOutMeasures(objective, { batches: () => batchesOf(heldOut, isLatents) })
    return { train, count: heldOut.length, pictures: heldOut, measures }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new UsageError(`--val-share ${share}: ${cause.message.replace(/^\w+: /, '')}`, { cause })
  }
}

async function* batchesOf(dataset: Dataset, isLatents: boolean): AsyncGenerator<TrainBatch, void, void> {
  const total = Math.min(dataset.length, MOST_MEASURED)
  const rows = async (_: number, start: number, end: number) => {
    return trainBatch(await dataset.read(Uint32Array.from({ length: end - start }, (_, i) => start + i)), dataset)
  }
  // Latents are drawn as in training, always with the same noise.
  const source = isLatents ? drawnBatches({ rows }, 0) : { rows }
  for (let start = 0; start < total; start += AT_ONCE) yield source.rows(0, start, Math.min(total, start + AT_ONCE))
}
