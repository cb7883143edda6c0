import { batches, type Dataset, type StepBatch } from '@dit/data'
import type { BatchSource } from '@dit/train-ddp'

export interface BatchSettings {
  readonly batchSize: number
  readonly seed: number
  readonly flip: boolean
  readonly steps: number
}

/** Batches by step: read ahead while steps come in order, begun anew where they jump. */
export function batchSource(
  dataset: Dataset,
  { batchSize, seed, flip, steps }: BatchSettings,
): BatchSource & { close(): Promise<void> } {
  let stream: AsyncGenerator<StepBatch, void, undefined> | null = null
  let next = -1
  const close = async () => {
    await stream?.return()
    stream = null
  }
  return {
    async batch(step) {
      if (stream === null || step !== next) {
        await close()
        stream = batches(dataset, { batchSize, seed, flip, start: step, end: steps })
      }
      const result = await stream.next()
      if (result.done === true) throw new RangeError(`batchSource: step must be below ${steps} (got ${step})`)
      next = step + 1
      return result.value
    },
    close,
  }
}
