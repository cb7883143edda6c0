import type { Batch, Dataset } from './dataset.js'
import { batchIndices } from './order.js'
import type { BatchPlan, BatchShare } from './order.js'
import { prefetch } from './prefetch.js'
import type { PrefetchOptions } from './prefetch.js'

/** A batch that knows where it stands in the run. */
export interface StepBatch extends Batch, BatchShare {
  readonly step: number
}

/** Options of `batches`. */
export interface BatchesOptions extends Omit<BatchPlan, 'length' | 'step'>, PrefetchOptions {
  /** mirror each picture with probability 1/2 (default true) */
  readonly flip?: boolean
}

/**
 * The batches of a training run from step `start` on, read ahead: `batchIndices` says which pictures, `prefetch` when.
 *
 * A run that is resumed at step k sees from there on what it would have seen without the break.
 *
 * @throws RangeError when an option is out of range, at the first batch
 *
 * @example
 * for await (const { step, x0, labels } of batches(dataset, { batchSize: 32, seed: 0, end: 100 })) train(x0, labels)
 */
export function batches(dataset: Dataset, options: BatchesOptions): AsyncGenerator<StepBatch, void, undefined> {
  const { flip = true } = options
  return prefetch(async (step, signal) => {
    const share = batchIndices({ ...options, length: dataset.length, step })
    const flips = flip ? share.flips : new Uint8Array(share.flips.length)
    return { ...share, flips, step, ...(await dataset.read(share.indices, { flips, signal })) }
  }, options)
}
