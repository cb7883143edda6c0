import { type RandomStream, uniforms as uniformDraws } from '@dit/random'
import { hostIndices } from './host-indices.js'

export interface DropLabelsOptions {
  /** What a dropped label becomes: the number of classes, the last row of the table. */
  readonly nullLabel: number
  /** Chance of a drop, 0 .. 1; the paper's models use 0.1. Read only together with `uniforms` or `stream`. */
  readonly probability?: number
  /** One number in [0, 1) per sample: the label is dropped where it is strictly below `probability` (as float32). */
  readonly uniforms?: ArrayLike<number>
  /** Draws the numbers instead: sample i takes uniform `start + i`. */
  readonly stream?: RandomStream
  /** Index of the first draw of `stream`, for a batch that is a part of a larger one. */
  readonly start?: number
  /** One flag per sample, which decides alone where it is given: exactly those with the value 1 are dropped. */
  readonly force?: ArrayLike<number>
}

/**
 * Replaces some labels by the null class, so that one network learns the conditional and the unconditional model.
 * Without `uniforms`, `stream` and `force` nothing is dropped, which is how a trained model is used.
 *
 * @param labels `[B]`, on the host; integers in 0 .. nullLabel
 * @returns a new `[B]`
 * @throws RangeError when a length differs, a label is out of range, or `probability` is not in 0 .. 1
 *
 * Ho & Salimans 2022, "Classifier-Free Diffusion Guidance", algorithm 1.
 *
 * @example
 * dropLabels([3, 1], { nullLabel: 10, probability: 0.1, uniforms: [0.05, 0.1] }) // [10, 1]
 */
export function dropLabels(
  labels: ArrayLike<number>,
  { nullLabel, probability = 0, uniforms, stream, start = 0, force }: DropLabelsOptions,
): Int32Array {
  const B = labels.length
  if (!Number.isInteger(nullLabel) || nullLabel < 0) {
    throw new RangeError(`dropLabels: nullLabel must be a non-negative integer (got ${nullLabel})`)
  }
  if (!(probability >= 0 && probability <= 1)) {
    throw new RangeError(`dropLabels: probability must be in 0..1 (got ${probability})`)
  }
  if (uniforms !== undefined && stream !== undefined) {
    throw new TypeError('dropLabels: give uniforms or a stream, not both')
  }
  checkLength('uniforms', uniforms, B)
  checkLength('force', force, B)
  const dropped = Int32Array.from(hostIndices('dropLabels', 'labels', labels, nullLabel + 1))
  if (force !== undefined) return dropped.map((label, i) => (force[i] === 1 ? nullLabel : label))
  const draws = stream === undefined ? uniforms : uniformDraws(stream, B, start)
  if (draws === undefined) return dropped
  const threshold = Math.fround(probability)
  return dropped.map((label, i) => (draws[i] < threshold ? nullLabel : label))
}

function checkLength(name: string, values: ArrayLike<number> | undefined, length: number): void {
  if (values !== undefined && values.length !== length) {
    throw new RangeError(`dropLabels: ${name} must have one entry per label, ${length} (got ${values.length})`)
  }
}
