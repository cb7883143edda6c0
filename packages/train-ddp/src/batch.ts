import { type Backend, type Shape, sizeOf, tensor, type Tensor } from '@dit/tensor'

/** One kind of values in a batch, such as pictures or labels: the examples' values one after the other. */
export interface BatchArray {
  readonly data: Float32Array | Int32Array
  /** Shape of one example; `[]` for a number. */
  readonly shape: Shape
}

/** Training examples on the host. What the arrays are called and hold is between the data and the objective. */
export interface TrainBatch {
  /** Examples, B. */
  readonly count: number
  /** By name: `x0` and `labels` for a class-conditional DiT. */
  readonly arrays: Readonly<Record<string, BatchArray>>
}

/**
 * Where batches come from. The batch of a step is a pure function of its number, whatever ran before: that is what makes
 * a resumed run continue with the very examples that an unbroken one sees.
 */
export interface BatchSource {
  /**
   * Rows `start` to `end - 1` of the global batch of a step: all of it for one worker, a part for each of several.
   *
   * @param step      from 0, where records and `Place.step` count from 1
   * @param batchSize of the recipe: rows of the global batch
   */
  rows(step: number, start: number, end: number, batchSize?: number): Promise<TrainBatch>
}

/**
 * A source over a function that gives whole batches: every worker makes the global batch and leaves out what is not its own.
 *
 * @example
 * const data = wholeBatches(async (step) => ({ count: 8, arrays: { x0: { data: pixels, shape: [3, 32, 32] } } }))
 */
export function wholeBatches(batch: (step: number) => Promise<TrainBatch>): BatchSource {
  return {
    async rows(step, start, end, batchSize) {
      const whole = await batch(step)
      checkBatch(whole, batchSize ?? whole?.count)
      return sliceBatch(whole, start, end)
    },
  }
}

/**
 * Pictures with classes, as a class-conditional model learns from them.
 *
 * @param x0     `[B, C, H, W]` float32: pixels in [-1, 1], or scaled latents
 * @param labels `[B]` class ids
 * @param shape  of one picture, `[C, H, W]`
 */
export function pictureBatch(x0: Float32Array, labels: Int32Array, shape: Shape): TrainBatch {
  return { count: labels.length, arrays: { x0: { data: x0, shape }, labels: { data: labels, shape: [] } } }
}

/**
 * An array of a batch on the engine, `[B, ...shape]`.
 *
 * @returns the caller disposes of it, or the scope that it is made in does
 * @throws RangeError where the batch has no such array
 */
export function batchTensor({ count, arrays }: TrainBatch, name: string, backend: Backend): Tensor {
  if (arrays[name] === undefined) {
    throw new RangeError(`batchTensor: the batch has no array ${name} (it has ${Object.keys(arrays).join(', ')})`)
  }
  const { data, shape } = arrays[name]
  return tensor(data, [count, ...shape], { backend })
}

/** Rows of a global batch that a worker sees, in rank order; their numbers differ by one at most. */
export function rowsOf(rank: number, size: number, batchSize: number): readonly [start: number, end: number] {
  return [Math.floor((rank * batchSize) / size), Math.floor(((rank + 1) * batchSize) / size)]
}

/** Examples `start` to `end - 1` of a batch; shares memory. */
export function sliceBatch(batch: TrainBatch, start: number, end: number): TrainBatch {
  const slice = ({ data, shape }: BatchArray): BatchArray => {
    const size = sizeOf(shape)
    return { data: data.subarray(start * size, end * size), shape }
  }
  const arrays = Object.entries(batch.arrays).map(([name, array]) => [name, slice(array)] as const)
  return { count: Math.min(end, batch.count) - start, arrays: Object.fromEntries(arrays) }
}

/**
 * Checks what every batch must be.
 *
 * @throws TypeError for anything but arrays with shapes, RangeError for a wrong number of values
 */
export function checkBatch(batch: TrainBatch, count: number): void {
  if (typeof batch?.arrays !== 'object' || batch.arrays === null) {
    throw new TypeError('train: data.rows must give { count, arrays: { name: { data, shape } } }')
  }
  if (batch.count !== count) throw new RangeError(`train: a batch must hold ${count} examples (got ${batch.count})`)
  for (const [name, { data, shape }] of Object.entries(batch.arrays)) {
    if (!(data instanceof Float32Array || data instanceof Int32Array) || !Array.isArray(shape)) {
      throw new TypeError(
        `train: ${name} of a batch must be { data, shape } with data a Float32Array or Int32Array (got ${kindOf(data)})`,
      )
    }
    if (data.length !== count * sizeOf(shape)) {
      throw new RangeError(
        `train: ${name} must hold ${count} examples of [${shape.join(', ')}], ${count * sizeOf(shape)} values (got ${data.length})`,
      )
    }
  }
}

function kindOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? value.constructor.name : typeof value
}
