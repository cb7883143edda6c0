import { integers, permutation, randomStream } from '@dit/random'

/** Which step of which run, and whose share of it. */
export interface BatchPlan {
  /** number of pictures in the dataset */
  readonly length: number
  /** number of pictures in one batch, over all workers; may exceed `length` */
  readonly batchSize: number
  readonly seed: number
  /** 0 is the first step */
  readonly step: number
  /** this worker, from 0 to `worldSize - 1` (default 0) */
  readonly rank?: number
  /** number of workers (default 1) */
  readonly worldSize?: number
}

/** A worker's share of one batch. */
export interface BatchShare {
  /** which pictures, `[share]` */
  readonly indices: Uint32Array
  /** 1 where the picture is mirrored, `[share]`; each is a fair coin of its own */
  readonly flips: Uint8Array
  /** place of the first of them in the whole batch */
  readonly offset: number
}

/**
 * The order in which one epoch reads a dataset.
 *
 * @returns a permutation of 0 to `length - 1`, a pure function of its arguments
 * @throws RangeError when an argument is not a non-negative integer
 */
export function epochOrder(length: number, seed: number, epoch: number): Uint32Array {
  check('epochOrder', { length, seed, epoch })
  return permutation(randomStream(seed, 'epoch', epoch), length)
}

/**
 * The pictures of one training step, or a worker's share of them.
 *
 * Reading is continuous: the epochs' orders follow each other in one endless row, and step `s` takes the places
 * `s batchSize` to `(s + 1) batchSize - 1` of it. So a batch may span two epochs, none is short, nothing is dropped, and a
 * batch larger than the dataset simply holds pictures several times. Workers hold consecutive shares, in rank order,
 * whose sizes differ by one at most: joined together they are the batch that one worker would see.
 *
 * @throws RangeError when an argument is out of range
 *
 * @example
 * const { indices, flips } = batchIndices({ length: 1000, batchSize: 64, seed: 0, step: 12 })
 */
export function batchIndices(plan: BatchPlan): BatchShare {
  const { length, batchSize, seed, step, rank = 0, worldSize = 1 } = plan
  check('batchIndices', { length, batchSize, seed, step, rank, worldSize })
  if (length < 1 || batchSize < 1 || worldSize < 1) {
    throw new RangeError(
      'batchIndices: length, batchSize and worldSize must be at least 1 ' +
        `(length ${length}, batchSize ${batchSize}, worldSize ${worldSize})`,
    )
  }
  if (rank >= worldSize) {
    throw new RangeError(`batchIndices: rank must be below worldSize (rank ${rank}, worldSize ${worldSize})`)
  }
  const offset = Math.floor((rank * batchSize) / worldSize)
  const count = Math.floor(((rank + 1) * batchSize) / worldSize) - offset
  const start = step * batchSize + offset
  const indices = new Uint32Array(count)
  for (let row = 0; row < count;) {
    const place = (start + row) % length
    const order = rememberedOrder(length, seed, Math.floor((start + row) / length))
    const run = Math.min(count - row, length - place)
    indices.set(order.subarray(place, place + run), row)
    row += run
  }
  return { indices, flips: Uint8Array.from(integers(randomStream(seed, 'flip'), 2, count, start)), offset }
}

let remembered: { key: string; order: Uint32Array } | undefined

/** `epochOrder`, which costs as much as the dataset is long, kept from one step to the next. Never handed out. */
function rememberedOrder(length: number, seed: number, epoch: number): Uint32Array {
  const key = `${length} ${seed} ${epoch}`
  if (remembered?.key !== key) remembered = { key, order: epochOrder(length, seed, epoch) }
  return remembered.order
}

function check(who: string, values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`${who}: ${name} must be a non-negative integer (${name} is ${value})`)
    }
  }
}
