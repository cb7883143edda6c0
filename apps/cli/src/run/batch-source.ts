import { batches, type Dataset, type StepBatch } from '@dit/data'
import type { BatchSource } from '@dit/train-ddp'
import { trainBatch } from './train-batch.js'

export interface BatchSettings {
  readonly batchSize: number
  readonly seed: number
  readonly flip: boolean
  readonly steps: number
  /** This worker, and how many share a batch (default 0 of 1). */
  readonly rank?: number
  readonly worldSize?: number
}

/** Batches by step, or a worker's share of them: read ahead while steps come in order, begun anew where they jump. */
export function batchSource(
  dataset: Dataset,
  { batchSize, seed, flip, steps, rank = 0, worldSize = 1 }: BatchSettings,
): BatchSource & { close(): Promise<void> } {
  let stream: AsyncGenerator<StepBatch, void, undefined> | null = null
  let next = -1
  const close = async () => {
    await stream?.return()
    stream = null
  }
  const read = async (step: number): Promise<StepBatch> => {
    if (stream === null || step !== next) {
      await close()
      stream = batches(dataset, { batchSize, seed, flip, start: step, end: steps, rank, worldSize })
    }
    const result = await stream.next()
    if (result.done === true) throw new RangeError(`batchSource: step must be below ${steps} (got ${step})`)
    next = step + 1
    return result.value
  }
  return {
    async rows(step, start, end) {
      const batch = await read(step)
      const { labels, offset } = batch
      if (offset !== start || labels.length !== end - start) {
        throw new RangeError(
          `batchSource: this worker reads rows ${offset} to ${offset + labels.length} (got ${start} to ${end})`,
        )
      }
      return trainBatch(batch, dataset)
    },
    close,
  }
}
