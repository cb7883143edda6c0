import type { CountedNetwork } from './counted-network.js'
import { memoryBytes, type MemoryEstimate } from './memory.js'

/**
 * What workers hold a part of instead of all: nothing; moments and averages; gradients as well; parameters as well. Stages of
 * ZeRO (Rajbhandari et al. 2020). @dit/train-ddp has stages 0 and 1; 2 and 3 are there to plan with.
 */
export type ZeroStage = 0 | 1 | 2 | 3

/** A job of several workers that train one model. */
export interface TrainingPlan {
  readonly workers: number
  /** Images of an optimizer step, over all workers. */
  readonly batchSize: number
  /** Images that a worker runs through the model at once. Default: its share of the batch. */
  readonly microBatchSize?: number
  readonly recompute?: 'none' | 'block' | number
  readonly stage?: ZeroStage
  /** Whether the engine holds attention weights in memory; the engines of @dit/backend-cpu do not. Default: false. */
  readonly storesAttention?: boolean
  /** Bytes of an image in host memory. Default: 0. */
  readonly imageBytes?: number
  /** Bytes of a process with its engine and no model. Default: 0. */
  readonly processBytes?: number
}

/** Bytes of one worker by what they hold; `total` is the peak. */
export interface WorkerMemory extends MemoryEstimate {
  /** Gradients and parameters on their way between workers. */
  readonly transfers: number
  /** Batches in host memory: the one in use and two that are read ahead. */
  readonly batches: number
  readonly process: number
}

/** Batches that are alive at once. */
const BATCHES = 3

/** Most bytes of gradients that are on their way at once. */
const MOST_UNDER_WAY = 2 ** 26

/**
 * Memory of each worker of a job, in bytes.
 *
 *   share        = ceil(batchSize / workers)
 *   optimizer    = 2 trainable 4 bytes        / workers from stage 1
 *   ema          = total 4 bytes              / workers from stage 1
 *   gradients    = trainable 4 bytes          / workers from stage 2
 *   parameters   = total 4 bytes              / workers from stage 3
 *   transfers    = min(64 MiB, gradients)     0 for one worker
 *   batches      = 3 share imageBytes
 *
 * Activations are those of `memoryBytes`, of a micro-batch.
 *
 * @throws RangeError on numbers that no job can have, and where `memoryBytes` does
 */
export function planMemory(network: CountedNetwork, plan: TrainingPlan): WorkerMemory {
  const { workers, batchSize, recompute = 'none', stage = 0, storesAttention = false } = plan
  for (const [name, value] of Object.entries({ workers, batchSize })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`planMemory: ${name} must be a positive integer (${value})`)
    }
  }
  if (workers > batchSize) {
    throw new RangeError(`planMemory: workers must be at most batchSize (${workers} workers, ${batchSize} images)`)
  }
  const share = Math.ceil(batchSize / workers)
  const { microBatchSize = share, imageBytes = 0, processBytes = 0 } = plan
  const one = memoryBytes(network, {
    batchSize: Math.min(microBatchSize, share),
    training: true,
    recompute,
    storesAttention,
  })
  const part = (bytes: number, from: ZeroStage) => (stage >= from ? Math.ceil(bytes / workers) : bytes)
  const bytes = {
    parameters: part(one.parameters, 3),
    gradients: part(one.gradients, 2),
    optimizer: part(one.optimizer, 1),
    ema: part(one.ema, 1),
    activations: one.activations,
    transfers: workers === 1 ? 0 : Math.min(MOST_UNDER_WAY, one.gradients),
    batches: BATCHES * share * imageBytes,
    process: processBytes,
  }
  return { ...bytes, total: Object.values(bytes).reduce((sum, count) => sum + count, 0) }
}
