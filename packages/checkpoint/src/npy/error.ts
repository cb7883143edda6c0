/** A file is not npy or npz, or breaks the format, or holds something that has no typed array. The text says which and what. */
export class NpyError extends Error {
  override readonly name = 'NpyError'
}

/** Makes the error for one problem; carries what is being read. */
export type Fail = (problem: string) => NpyError

export function failFor(who: string): Fail {
  return (problem) => new NpyError(`${who}: ${problem}`)
}
