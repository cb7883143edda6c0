import type { DiTConfig } from '@dit/model'
import type { TrainingPlan, ZeroStage } from '@dit/scaling'
import type { RunPlan } from './resolve-run.js'

/** Resident bytes of `dit train` with an engine and no model: Node, its heap while batches are read, the program. */
export const PROCESS_BYTES = 105 * 2 ** 20

/** What a worker of a run holds, for `planMemory`. */
export function workerPlan(
  model: DiTConfig,
  { recipe, recompute, shardOptimizer = false }: Pick<RunPlan, 'recipe' | 'recompute' | 'shardOptimizer'>,
  workers: number,
): TrainingPlan {
  const [height, width] = typeof model.inputSize === 'number' ? [model.inputSize, model.inputSize] : model.inputSize
  const stage: ZeroStage = shardOptimizer && workers > 1 ? 1 : 0
  return {
    workers,
    batchSize: recipe.batchSize,
    microBatchSize: recipe.microBatchSize ?? Math.ceil(recipe.batchSize / workers),
    recompute,
    stage,
    imageBytes: model.inChannels * height * width * Float32Array.BYTES_PER_ELEMENT,
    processBytes: PROCESS_BYTES,
  }
}
