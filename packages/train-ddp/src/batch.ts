/** Training examples on the host. */
export interface TrainBatch {
  /** `[B, C, H, W]` float32: pixels in [-1, 1], or scaled latents. */
  readonly x0: Float32Array
  /** `[B]` class ids. */
  readonly labels: Int32Array
}

/**
 * Where batches come from. The batch of a step is a pure function of its number, whatever ran before: that is what makes
 * a resumed run continue with the very examples that an unbroken one sees.
 */
export interface BatchSource {
  /** Global batch of a step, from 0. */
  batch(step: number): Promise<TrainBatch>
  /**
   * Rows `start` to `end` of the global batch of a step, for a worker that sees these alone. Without it every worker
   * reads the global batch and leaves out the rest.
   */
  rows?(step: number, start: number, end: number): Promise<TrainBatch>
}

/** Rows of a global batch that a worker sees, in rank order; their numbers differ by one at most. */
export function rowsOf(rank: number, size: number, batchSize: number): readonly [start: number, end: number] {
  return [Math.floor((rank * batchSize) / size), Math.floor(((rank + 1) * batchSize) / size)]
}

/** Examples `start` to `end` of a batch; shares memory. */
export function sliceBatch({ x0, labels }: TrainBatch, start: number, end: number): TrainBatch {
  const size = x0.length / labels.length
  return { x0: x0.subarray(start * size, end * size), labels: labels.subarray(start, end) }
}
