import type { ReadOptions } from './dataset.js'

/** Checks the arguments of a dataset's `read`; `who` names the dataset in the error. */
export function checkRead(
  who: string,
  length: number,
  indices: ArrayLike<number>,
  { flips, signal }: ReadOptions,
): void {
  signal?.throwIfAborted()
  if (flips !== undefined && flips.length !== indices.length) {
    throw new RangeError(`${who}: flips must hold one flag per index (${flips.length} for ${indices.length} indices)`)
  }
  for (let row = 0; row < indices.length; row++) {
    const index = indices[row]
    if (!Number.isSafeInteger(index) || index < 0 || index >= length) {
      throw new RangeError(`${who}: an index must be an integer from 0 to ${length - 1} (indices[${row}] is ${index})`)
    }
  }
}
