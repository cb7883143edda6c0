import type { Batch, Dataset } from '@dit/data'
import { pictureBatch, type TrainBatch } from '@dit/train-ddp'

/** Pictures that were read as a batch to train on, with all else that the data set has of them. */
export function trainBatch({ x0, labels, arrays }: Batch, { shape }: Pick<Dataset, 'shape'>): TrainBatch {
  const batch = pictureBatch(x0, labels, shape)
  return arrays === undefined ? batch : { ...batch, arrays: { ...batch.arrays, ...arrays } }
}
