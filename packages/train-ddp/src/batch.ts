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
}

/** Examples `start` to `end` of a batch; shares memory. */
export function sliceBatch({ x0, labels }: TrainBatch, start: number, end: number): TrainBatch {
  const size = x0.length / labels.length
  return { x0: x0.subarray(start * size, end * size), labels: labels.subarray(start, end) }
}
