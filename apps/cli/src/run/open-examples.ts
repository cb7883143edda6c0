import type { BatchSource } from '@dit/train-ddp'
import { drawnBatches } from './drawn-batches.js'
import { batchSource } from './batch-source.js'
import { type HeldOut, holdOut } from './held-out.js'
import type { PreparedRun } from './prepare-training.js'

/** What a run learns from, and what it is measured on. */
export interface Examples {
  readonly batches: BatchSource
  /** Null where nothing is held out. */
  readonly heldOut: HeldOut | null
  /** Stops reading ahead; the data stay open. */
  close(): Promise<void>
}

/** The part of a run's examples that a rank reads. */
export interface Place {
  readonly rank: number
  readonly worldSize: number
  /** Length of the run. */
  readonly steps: number
}

/** @throws UsageError where pictures are to be held out that cannot be */
export async function openExamples(
  { config, objective, data: { dataset }, moduleBatches }: PreparedRun,
  place: Place,
): Promise<Examples> {
  const isLatents = config.data.kind === 'latents'
  const heldOut =
    config.heldOut === undefined || dataset === null
      ? null
      : await holdOut(dataset, objective, config.heldOut, isLatents)
  const { seed, flip, recipe } = config
  const pictures =
    dataset === null
      ? null
      : batchSource(heldOut?.train ?? dataset, { seed, flip, batchSize: recipe.batchSize, ...place })
  const drawn = pictures !== null && isLatents ? drawnBatches(pictures, seed) : pictures
  return { batches: moduleBatches ?? drawn!, heldOut, close: async () => pictures?.close() }
}
