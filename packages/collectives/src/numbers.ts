/** Numbers that collectives sum and move: what engines compute in. */
export type Floats = Float32Array | Float64Array

/** Numbers in a row, wherever they lie: in an array, or on an engine. */
export interface Numbers {
  readonly length: number
  readonly bytesPerElement: 4 | 8
  /** Copies the numbers from `start` on into an array, as many as it holds. */
  read(start: number, into: Floats): void
  /** Replaces the numbers from `start` on by those of an array. */
  write(start: number, from: Floats): void
}

export function arrayNumbers(values: Floats): Numbers {
  return {
    length: values.length,
    bytesPerElement: values instanceof Float32Array ? 4 : 8,
    read: (start, into) => into.set(values.subarray(start, start + into.length)),
    write: (start, from) => values.set(from, start),
  }
}
