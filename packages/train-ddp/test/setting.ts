import type { DiTConfig } from '@dit/model'
import { integers, normals, randomStream } from '@dit/random'
import {
  type BatchSource,
  classConditional,
  pictureBatch,
  smallRecipe,
  type TrainBatch,
  type TrainEvent,
  type TrainOptions,
  type TrainRecipe,
  train,
  wholeBatches,
} from '../src/index.js'

/** As small as a DiT gets: one block, four tokens. */
export const tinyModel: DiTConfig = {
  inputSize: 4,
  patchSize: 2,
  inChannels: 1,
  hiddenSize: 8,
  depth: 1,
  numHeads: 2,
  mlpRatio: 2,
  numClasses: 3,
  classDropout: 0.1,
  learnSigma: true,
}

export const tinyObjective = classConditional(tinyModel)

export const tinyRecipe: TrainRecipe = { ...smallRecipe, batchSize: 4, warmupSteps: 2, learningRate: 1e-2 }

/** Pictures that are all -0.5, 0 or 0.5, by class, with a little noise. */
export function tinyData(batchSize = tinyRecipe.batchSize, seed = 7): BatchSource {
  return wholeBatches(async (step) => tinyBatch(step, batchSize, seed))
}

export function tinyBatch(step: number, batchSize = tinyRecipe.batchSize, seed = 7): TrainBatch {
  const labels = integers(randomStream(seed, 'labels', step), 3, batchSize)
  const x0 = normals(randomStream(seed, 'pixels', step), batchSize * 16)
  const pictures = x0.map((value, i) => (labels[Math.floor(i / 16)] - 1) / 2 + 0.05 * value)
  return pictureBatch(pictures, labels, [1, 4, 4])
}

export async function run(options: TrainOptions): Promise<TrainEvent[]> {
  const events: TrainEvent[] = []
  for await (const event of train(options)) events.push(event)
  return events
}

export function losses(events: readonly TrainEvent[]): number[] {
  return events.flatMap((event) => (event.type === 'step' ? [event.record.loss] : []))
}

/** Data whose reading aborts the run during the given step. */
export function stoppingAfter(steps: number): { data: BatchSource; signal: AbortSignal } {
  const controller = new AbortController()
  const data = tinyData()
  return {
    signal: controller.signal,
    data: {
      rows(step, start, end) {
        if (step === steps - 1) controller.abort()
        return data.rows(step, start, end)
      },
    },
  }
}
