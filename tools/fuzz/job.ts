/** Longest input. */
export const INPUT_BYTES = 2 ** 16

/** What a worker is to do. */
export interface FuzzJob {
  readonly target: string
  readonly seed: number
  readonly seconds: number
  /** Two counters and the input in work, for whoever finds the worker hanging. */
  readonly shared: SharedArrayBuffer
}

/** What a worker has seen. */
export interface FuzzReport {
  readonly inputs: number
  /** Inputs that were read without an error. */
  readonly accepted: number
  readonly seeds: number
  /** Inputs that showed something new, seeds among them. */
  readonly corpus: number
  /** Blocks of the sources that ran. */
  readonly blocks: number
  /** Milliseconds. */
  readonly slowest: number
  /** Bytes of the largest typed array that was made, and of the input that made it. */
  readonly largest: number
  readonly largestAt: number
  /** Errors that are not the reader's own, one of each kind. */
  readonly findings: readonly { readonly text: string; readonly input: Uint8Array }[]
}
