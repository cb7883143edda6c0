import { toFloat32Array } from '@dit/tensor'
import type { Picture } from '../pictures/picture.js'
import { type SamplingRun, stepsOfBatch } from './sample-batches.js'

/** Where a batch stands. */
export interface BatchStep {
  /** Steps done and to be done, over all batches that are drawn. */
  readonly done: number
  readonly total: number
  /** Step of the batch, from 0, and how many it has. */
  readonly index: number
  readonly numSteps: number
  /** The first sample of the batch, and how many it has. */
  readonly first: number
  readonly count: number
  /** The samples of the batch after this step, and the model's estimates of what they become; to be asked for within `onStep`. */
  readonly state: () => Promise<Float32Array>
  readonly estimates: () => Promise<Float32Array>
}

/** Samples that are finished. */
export interface SampleBatch {
  /** Number of the batch, from 0. */
  readonly number: number
  /** The first sample of the batch. */
  readonly first: number
  readonly labels: Int32Array
  /** `[batch, C, H, W]`, as the network makes them. */
  readonly samples: Float32Array
}

/** A `SampleBatch` that can be seen. */
export interface PictureBatch extends SampleBatch {
  /** Its pictures. */
  readonly pictures: () => Promise<Picture[]>
}

/** Options of `batches`. */
export interface BatchesOptions {
  /** Leaves out batches, by their number: those that are there already. What the others give is the same. */
  readonly skip?: (number: number) => boolean
  /** Called, and waited for, after every step. */
  readonly onStep?: (step: BatchStep) => void | Promise<void>
}

/**
 * Samples batch by batch, holding one at a time.
 *
 * @throws the signal's reason when stopped; whatever `onStep` throws
 */
export async function* drawBatches(
  run: SamplingRun,
  { skip = () => false, onStep = () => {} }: BatchesOptions,
): AsyncGenerator<SampleBatch, void, void> {
  const { labels, batchSize } = run.plan
  const numBatches = Math.ceil(labels.length / batchSize)
  const numbers = Array.from({ length: numBatches }, (_, number) => number).filter((number) => !skip(number))
  let done = 0
  for (const number of numbers) {
    const first = number * batchSize
    const count = Math.min(batchSize, labels.length - first)
    let samples: Float32Array = new Float32Array()
    for await (const { index, numSteps, xt, x0 } of stepsOfBatch(run, first, count)) {
      const isLast = index === numSteps - 1
      if (isLast) samples = await toFloat32Array(xt)
      await onStep({
        done: ++done,
        total: numbers.length * numSteps,
        index,
        numSteps,
        first,
        count,
        state: () => toFloat32Array(xt),
        estimates: () => toFloat32Array(isLast ? xt : x0),
      })
    }
    yield { number, first, labels: labels.slice(first, first + count), samples }
  }
}
